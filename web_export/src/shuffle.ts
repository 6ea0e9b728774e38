// DepthToSpace for WASM. What a cell of the small map has for a row of the large one lies together in
// both, so that it is moved whole; the package's own kernel goes number by number.

import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

export const depthToSpaceConfig: KernelConfig = {
  kernelName: "DepthToSpace",
  backendName: "wasm",
  kernelFunc: ({ inputs, backend, attrs }) => {
    const x = inputs.x as TensorInfo;
    const wasm = backend as BackendWasm;
    const { blockSize, dataFormat } = attrs as { blockSize: number; dataFormat: string };
    if (dataFormat !== "NHWC") throw new Error(`DepthToSpace is computed in NHWC. Received: ${dataFormat}.`);
    const [count, height, width, depth] = x.shape;
    const shape = [count, height * blockSize, width * blockSize, depth / blockSize ** 2];
    const made = wasm.makeOutput(shape, x.dtype);
    // Only now: room for the result may have moved all memory.
    const given = wasm.typedArrayFromHeap(x);
    const memory = new Uint32Array(given.buffer);
    const piece = depth / blockSize;
    let to = wasm.typedArrayFromHeap(made).byteOffset / 4;
    for (let row = 0; row < count * height; row++) {
      for (let i = 0; i < blockSize; i++) {
        let from = given.byteOffset / 4 + row * width * depth + i * piece;
        for (let column = 0; column < width; column++, from += depth, to += piece) {
          memory.copyWithin(to, from, from + piece);
        }
      }
    }
    return made;
  },
};
