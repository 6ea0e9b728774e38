// Graphs with other operations than exports usually consist of: loaded when one comes.

import { loadGraphModel } from "@tensorflow/tfjs-converter";
import {
  dispose,
  getBackend,
  getKernelsForBackend,
  type io,
  setBackend,
  type Tensor,
  unregisterKernel,
} from "@tensorflow/tfjs-core";

/** Makes every kernel of the WASM backend known, not only those of wasm.ts. */
async function completeWasm(): Promise<void> {
  for (const { kernelName } of getKernelsForBackend("wasm")) unregisterKernel(kernelName, "wasm");
  await import("@tensorflow/tfjs-backend-wasm/dist/register_all_kernels");
  await setBackend("wasm");
}

let complete: Promise<void> | null = null;

export interface Converted {
  execute(inputs: Record<string, Tensor>): Tensor;
  inside(inputs: Record<string, Tensor>, steps: string[]): Tensor[];
  dispose(): void;
}

export async function convertedGraph(artifacts: io.ModelArtifacts, output: string): Promise<Converted> {
  if (getBackend() === "wasm") await (complete ??= completeWasm());
  const model = await loadGraphModel({ load: async () => artifacts });
  return {
    execute(inputs) {
      const found = model.execute(inputs, output);
      if (!Array.isArray(found)) return found;
      dispose(found);
      throw new Error("it has more than one output");
    },
    inside: (inputs, steps) => [model.execute(inputs, steps)].flat(),
    dispose: () => model.dispose(),
  };
}
