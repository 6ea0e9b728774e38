// How the backends are called; apart from backends.ts, which brings TensorFlow.js along.

import type { Backend } from "./backends";

export type Choice = Backend | "auto";

export const BACKEND_NAMES: Record<Backend, string> = {
  wasm: "WASM",
  webgl: "WebGL",
  webgpu: "WebGPU",
  cpu: "JavaScript",
};
