"""A client of gRPC does not trust its server, nor what it is told of bounds."""

from __future__ import annotations

import resource
from concurrent import futures

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tfanime.serving import BadAnswer, Client, transport

# ---- gRPC --------------------------------------------------------------------------------------


@pytest.fixture
def hostile_grpc():
    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        answer = predict_pb2.PredictResponse()

        def Predict(self, request, context):
            return self.answer

    service, running = Service(), grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, running)
    service.address = f"grpc://127.0.0.1:{running.add_insecure_port('127.0.0.1:0')}"
    running.start()
    yield service
    running.stop(None).wait()


def test_grpc_without_outputs(hostile_grpc):
    with pytest.raises(BadAnswer, match="it has no output 'json'"):
        Client(hostile_grpc.address, "m").describe()


@pytest.mark.parametrize("shape", [[10**9], [10**6, 10**6], [-1], [2, 3]])
def test_grpc_tensors_that_are_none(hostile_grpc, shape):
    """One stored number stands for all of a shape: a few bytes become gigabytes."""
    tensor = hostile_grpc.answer.outputs["x"]
    tensor.dtype = 1 if shape != [2, 3] else 77
    tensor.float_val.append(1.0)
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadAnswer, match="its output 'x' is no array"):
        Client(hostile_grpc.address, "m").predict("p", {})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_grpc_messages_have_a_limit(hostile_grpc):
    hostile_grpc.answer.outputs["x"].string_val.append(bytes(3_000_000))
    with pytest.raises(BadAnswer, match="more than 2,000,000 bytes"):
        Client(hostile_grpc.address, "m", most_bytes=2_000_000).predict("p", {})


def test_settings_have_bounds():
    assert transport.ANSWER_BYTES < 2**31
    for bad in ({"timeout": float("inf")}, {"timeout": float("nan")}, {"most_bytes": 0}):
        with pytest.raises(ValueError, match="Received"):
            Client("http://x:1", "m", **bad)
