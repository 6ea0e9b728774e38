"""Writes what `torch.save` wrote before torch 1.6, without torch."""

import pickle
import sys
import types
from collections import OrderedDict

import numpy as np


def _stub(module, name, value):
    value.__module__, value.__qualname__, value.__name__ = module, name, name
    return value


rebuild = _stub("torch._utils", "_rebuild_tensor_v2", lambda *_: None)
storages = {
    np.dtype(dtype): _stub("torch", name, type(name, (), {}))
    for dtype, name in (("<f4", "FloatStorage"), ("<i8", "LongStorage"))
}


class _Storage:
    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


class _Tensor:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return rebuild, (*self.arguments, False, OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, _Storage):
            return None
        kind = storages[value.numbers.dtype]
        return ("storage", kind, value.key, "cpu", len(value.numbers), None)


def tensor(key, numbers, offset, shape, strides):
    return _Tensor(_Storage(key, numbers), offset, shape, strides)


def whole(key, array):
    """An array as a tensor of its own storage, last axis first as channels-last tensors are."""
    array = np.asarray(array)
    turned = array.copy(order="F")
    strides = tuple(stride // array.itemsize for stride in turned.strides)
    return tensor(key, turned.ravel("K"), 0, array.shape, strides)


def write(path, tensors):
    fakes = {"torch": types.ModuleType("torch"), "torch._utils": types.ModuleType("torch._utils")}
    fakes["torch._utils"]._rebuild_tensor_v2 = rebuild
    for kind in storages.values():
        setattr(fakes["torch"], kind.__name__, kind)
    real = {name: sys.modules.get(name) for name in fakes}
    sys.modules.update(fakes)
    try:
        with open(path, "wb") as file:
            for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
                pickle.dump(part, file, 2)
            _Pickler(file, 2).dump(OrderedDict(tensors))
            numbers = {t.arguments[0].key: t.arguments[0].numbers for t in tensors.values()}
            pickle.dump(sorted(numbers), file, 2)
            for key in sorted(numbers):
                file.write(len(numbers[key]).to_bytes(8, "little") + numbers[key].tobytes())
    finally:
        for name, module in real.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
