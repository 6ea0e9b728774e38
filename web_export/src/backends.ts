// The ways of computing: loaded when chosen, never before.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/base_side_effects";
import plainWasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simdWasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";

export const BACKENDS = ["webgpu", "webgl", "wasm", "cpu"] as const;
export type Backend = (typeof BACKENDS)[number];

const EMPTY_PROGRAM = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** TensorFlow.js waits for ever for a program that does not arrive, or that a page's policy
 * forbids, so both are tried before. The browser's cache gives it the file a second time. */
async function checkWasm(): Promise<void> {
  new WebAssembly.Module(EMPTY_PROGRAM);
  const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
  const answer = await fetch(simd ? simdWasm : plainWasm).catch(() => null);
  if (!answer?.ok || !WebAssembly.validate(await answer.arrayBuffer())) {
    throw new Error("its program could not be loaded");
  }
}

/** Without a network a part that was not kept says so, and not what the bundler makes of it. */
async function part<T>(code: Promise<T>): Promise<T> {
  return code.catch(() => {
    throw new Error("its code could not be loaded");
  });
}

let threadsOfWasm = () => 1;

/** How many threads of the processor draw. */
export function threads(backend: Backend): number {
  return backend === "wasm" ? threadsOfWasm() : 1;
}

const importers: Record<Backend, () => Promise<unknown>> = {
  webgpu: () => part(import("@tensorflow/tfjs-backend-webgpu")),
  webgl: () => part(import("@tensorflow/tfjs-backend-webgl")),
  wasm: async () => {
    const { setWasmPaths, threads } = await part(import("./wasm"));
    threadsOfWasm = threads;
    await checkWasm();
    // Its threads start from blob addresses, which the page's policy forbids; ours are in threads.ts.
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    setWasmPaths({
      "tfjs-backend-wasm.wasm": plainWasm,
      "tfjs-backend-wasm-simd.wasm": simdWasm,
      "tfjs-backend-wasm-threaded-simd.wasm": simdWasm,
    });
  },
  cpu: () => part(import("@tensorflow/tfjs-backend-cpu")),
};

const loaded = new Set<Backend>();
let current: Backend | null = null;
let turn: Promise<unknown> = Promise.resolve();

async function change(backend: Backend): Promise<void> {
  if (current === backend) return;
  current = null;
  if (!loaded.has(backend)) await importers[backend]();
  loaded.add(backend);
  const started = tf.findBackendFactory(backend) && (await tf.setBackend(backend));
  if (!started) throw new Error(`this browser cannot start ${backend}`);
  current = backend;
}

/** Does `work` on `backend`, after all that was asked for before: TensorFlow.js has one backend at
 * a time, whichever of a page's generators needs it. Throws if this browser lacks it. */
export function using<T>(backend: Backend, work: () => T | Promise<T>): Promise<T> {
  const mine = turn.then(async () => {
    await change(backend);
    return work();
  });
  turn = mine.catch(() => {});
  return mine;
}

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

async function hasWebGpu(): Promise<boolean> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<any> } }).gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return false;
  const { isFallbackAdapter, architecture, description } = adapter.info ?? {};
  return !isFallbackAdapter && !SOFTWARE.test(`${architecture} ${description}`);
}

function hasWebGl(): boolean {
  if (typeof OffscreenCanvas === "undefined") return false;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl) return false;
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = named ? String(gl.getParameter(named.UNMASKED_RENDERER_WEBGL)) : "";
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !SOFTWARE.test(renderer);
}

/** The backends that have real graphics hardware behind them; drawing in software is slower than
 * WASM, so those are not worth their download. */
export async function accelerated(): Promise<Backend[]> {
  const found: Backend[] = [];
  if (await hasWebGpu()) found.push("webgpu");
  if (hasWebGl()) found.push("webgl");
  return found;
}
