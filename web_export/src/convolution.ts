// FusedConv2D for WASM: 3x3 convolutions by winograd.js, which takes half the time, all others by the package.

import { backend_util, type KernelConfig, type NamedAttrMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { fusedConv2DConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/FusedConv2D";

import { engine } from "./threads";
import { fits, Winograd } from "./winograd";

type Shape4D = [number, number, number, number];
interface Attributes {
  strides: [number, number];
  pad: "same" | "valid" | number;
  dilations: [number, number];
  activation: string;
  leakyreluAlpha?: number;
}

let winograd: Winograd | null | undefined;
/** Of the filters that are in use: their addresses, by what TensorFlow.js knows them by. */
const filters = new WeakMap<object, number>();
const forgotten = new FinalizationRegistry<[number, number]>(([at, length]) => winograd?.giveBack(at, length));

/** How many threads compute convolutions; the others of a shared memory come in their own time. */
export function threads(): number {
  return winograd?.threads ?? 1;
}

/** By how much each output is multiplied below zero, if that is all that the activation does. */
function slopes(name: string, outputs: number, leak: number, prelu: Float32Array | null): Float32Array | null {
  if (name === "prelu") return prelu?.length === outputs ? prelu : null;
  const slope = { linear: 1, relu: 0, leakyrelu: leak }[name];
  return slope === undefined ? null : new Float32Array(outputs).fill(slope);
}

export const convolutionConfig: KernelConfig = {
  ...fusedConv2DConfig,
  kernelFunc: (given) => {
    const { x, filter, bias, preluActivationWeights: prelu } = given.inputs as Record<string, TensorInfo>;
    const { strides, pad, dilations, activation, leakyreluAlpha } = given.attrs as NamedAttrMap & Attributes;
    const info = backend_util.computeConv2DInfo(
      x.shape as Shape4D,
      filter.shape as Shape4D,
      strides,
      dilations,
      pad,
    );
    const { batchSize, inHeight: height, inWidth: width, inChannels: channels, outChannels: outputs } = info;
    const { top, bottom, left, right } = info.padInfo;
    const plain =
      [info.filterHeight, info.filterWidth].every((side) => side === 3) &&
      [top, bottom, left, right, ...[strides, dilations].flat()].every((number) => number === 1) &&
      bias?.shape[0] === outputs &&
      fits(height, width, channels, outputs);
    const wasm = given.backend as BackendWasm;
    const numbers = (tensor: TensorInfo) => wasm.typedArrayFromHeap(tensor) as Float32Array;
    const slope = plain ? slopes(activation, outputs, leakyreluAlpha ?? 0, prelu && numbers(prelu)) : null;
    if (slope && winograd === undefined) winograd = engine();
    if (!winograd || !slope) return fusedConv2DConfig.kernelFunc(given);
    const made = wasm.makeOutput(info.outShape, "float32");
    // Only now: room for the result may have moved all memory.
    const [maps, results] = [numbers(x), numbers(made)];
    let at = filters.get(filter.dataId);
    if (at === undefined) {
      at = winograd.filter(numbers(filter), channels, outputs);
      filters.set(filter.dataId, at);
      forgotten.register(filter.dataId, [at, Winograd.lengthOf(channels, outputs)]);
    }
    for (let i = 0; i < batchSize; i++) {
      const [before, after] = [i * height * width * channels, i * height * width * outputs];
      winograd.convolve({
        x: maps.subarray(before, before + height * width * channels),
        height,
        width,
        channels,
        outputs,
        filter: at,
        bias: numbers(bias),
        slope: activation === "prelu" ? numbers(prelu) : slope,
        y: results.subarray(after, after + height * width * outputs),
      });
    }
    return made;
  },
};
