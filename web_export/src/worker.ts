// The thread that computes. It answers one request after the other.

import { encode, type Frames } from "./animation";
import type { Backend } from "./backends";
import type { Format } from "./formats";
import { Generator, type Picture, type Request, type Speeds } from "./generator";
import { fetchManifest } from "./manifest";
import * as store from "./store";

export interface Opened {
  backend: Backend;
}

export type News =
  | { event: "progress"; loaded: number; total: number }
  | { event: "fallback"; backend: Backend; reason: string };

let generator: Generator | null = null;

function tell(news: News): void {
  postMessage(news);
}

function loaded(): Generator {
  if (!generator) throw new Error("No model is open.");
  return generator;
}

export const methods = {
  /** Bytes that opening this model would download. */
  async missing(folder: string, model: string): Promise<number> {
    const { models } = await fetchManifest(new URL(folder));
    const entry = models.find(({ name }) => name === model) ?? models[0];
    return store.missing(new URL(folder), entry.files);
  },

  async open(folder: string, model: string, backend: Backend | "auto"): Promise<Opened> {
    generator?.dispose();
    generator = null;
    generator = await Generator.load(folder, {
      model,
      // The first picture should not wait for the others to be tried: `chooseFastest` follows it.
      backend: backend === "auto" ? "wasm" : backend,
      onProgress: (done, total) => tell({ event: "progress", loaded: done, total }),
      onFallback: (failed, reason) => tell({ event: "fallback", backend: failed, reason }),
    });
    return { backend: generator.backend };
  },

  async chooseFastest(): Promise<Opened & { speeds: Speeds }> {
    const speeds = await loaded().chooseFastest();
    return { backend: loaded().backend, speeds };
  },

  async generate(request: Request, large: boolean): Promise<Picture & { shown: ImageData }> {
    const began = performance.now();
    const picture = await loaded().generate(request);
    if (!large) return { ...picture, shown: picture.imageData };
    const shown = await loaded().upscale(picture);
    return { ...picture, shown, ms: performance.now() - began };
  },

  encode(format: Format, frames: Frames): Promise<Blob> {
    return encode(format, frames);
  },
};

export type Methods = typeof methods;

let queue: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent) => {
  const { id, method, args } = data as { id: number; method: keyof Methods; args: unknown[] };
  queue = queue.then(async () => {
    try {
      const run = methods[method] as (...args: unknown[]) => Promise<unknown>;
      postMessage({ id, result: await run(...args) });
    } catch (error) {
      postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
});
