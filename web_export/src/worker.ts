// The thread that computes. It draws one picture after the other.

import { encode, type Frames } from "./animation";
import { type Backend, threads, using } from "./backends";
import type { Format } from "./formats";
import { type Encoded, Generator, type Picture } from "./generator";
import type { Field } from "./labels";
import type { File, Kit, Manifest } from "./manifest";
import { fromImageData } from "./pixels";
import type { Enlarge, Read, Sheet, Wish } from "./poster/works";
import type { Request } from "./request";
import * as store from "./store";

export interface Opened {
  backend: Backend;
  threads: number;
}

/** A picture, without what the page does not need. */
export type Drawn = Pick<Picture, "latent" | "labels" | "styles" | "tags" | "ms" | "backend" | "threads"> & { image: ImageData };

/** What is told of an opening, which has a number. */
export type News = { opening: number } & (
  | { event: "progress"; loaded: number; total: number }
  | { event: "fallback"; backend: Backend; reason: string }
  | { event: "unchosen"; reason: string }
);

const PAUSE = 50; // ms between two reports of progress: each has the page drawn anew

let generator: Generator | null = null;
let fetching = new AbortController();

/** Who opens a model waits for no file of the one before. */
function overtake(): AbortSignal {
  fetching.abort();
  fetching = new AbortController();
  return fetching.signal;
}

// WebAssembly starts while the page reads which model it is for. If it fails, that is said when it is
// asked for.
void using("wasm", () => {}).catch(() => {});

function tell(news: News): void {
  postMessage(news);
}

const posters = () => import("./poster/works");

/** Fetches one of a kit's files. */
const from = (folder: string, kit: Kit) => async (path: string) => {
  const found = await store.load(new URL(folder), kit.files.filter((file) => file.path === path));
  return found.get(path) as Uint8Array<ArrayBuffer>;
};

function loaded(): Generator {
  if (!generator) throw new Error("No model is open.");
  return generator;
}

/** What makes drafts of posters larger. */
function enlarging(): Enlarge {
  const model = loaded();
  if (!model.model.upscaler) return null;
  return (draft) => {
    const { width, height } = draft;
    return model.upscale({ pixels: fromImageData(draft), width, height });
  };
}

function opened({ backend }: Generator): Opened {
  return { backend, threads: threads(backend) };
}

export const methods = {
  /** Bytes of these files that are still to be downloaded. */
  missing(folder: string, files: File[]): Promise<number> {
    return store.missing(new URL(folder), files);
  },

  /** Fetches files for a visit without a network. */
  async keep(folder: string, files: File[]): Promise<void> {
    await store.load(new URL(folder), files);
  },

  async open(
    folder: string,
    manifest: Manifest,
    model: string,
    backend: Backend | "auto",
    opening: number,
    signal?: AbortSignal,
  ): Promise<Opened> {
    signal?.throwIfAborted();
    generator?.dispose();
    generator = null;
    let told = -Infinity;
    generator = await Generator.load(folder, {
      manifest,
      model,
      // The first picture should not wait for the others to be tried: `chooseFastest` follows it.
      backend: backend === "auto" ? "wasm" : backend,
      onProgress: (done, total) => {
        if (done < total && performance.now() - told < PAUSE) return;
        told = performance.now();
        tell({ opening, event: "progress", loaded: done, total });
      },
      onFallback: (failed, reason) => tell({ opening, event: "fallback", backend: failed, reason }),
      choosing: true,
      onUnchosen: (reason) => tell({ opening, event: "unchosen", reason }),
      signal,
    });
    return opened(generator);
  },

  async chooseFastest(): Promise<Opened> {
    await loaded().chooseFastest();
    return opened(loaded());
  },

  /** Which picture is shown of a seed, from the request's index on. */
  choose(request: Request): Promise<number> {
    return loaded().choose(request);
  },

  /** What a visitor's picture would be drawn from. */
  encode(image: ImageData): Promise<Encoded> {
    return loaded().encode(image);
  },

  async generate(request: Request): Promise<Drawn> {
    const { imageData: image, ...picture } = await loaded().generate(request);
    const { latent, labels, styles, tags, ms } = picture;
    return { image, latent, labels, styles, tags, ms, ...opened(loaded()) };
  },

  async enlarge(request: Request): Promise<ImageData> {
    return loaded().upscale(await loaded().generate(request));
  },

  film(format: Format, frames: Frames): Promise<Blob> {
    return encode(format, frames);
  },

  async read(folder: string, kit: Kit, text: string, fields: Field[]): Promise<Read> {
    return (await posters()).read(from(folder, kit), kit.phrases, text, fields);
  },

  async poster(folder: string, kit: Kit, wish: Wish): Promise<Sheet> {
    return (await posters()).poster(from(folder, kit), kit, wish, enlarging());
  },

  /** A poster as PNG. */
  async print(folder: string, kit: Kit, wish: Wish): Promise<Blob> {
    return (await posters()).print(from(folder, kit), kit, wish, enlarging());
  },

  /** A face for a poster, by a model of faces on white. */
  async figure(folder: string, manifest: Manifest, model: string, request: Request): Promise<ImageData> {
    const faces = await Generator.load(folder, { manifest, model, backend: "wasm" });
    try {
      return await (await posters()).figure(faces, request);
    } finally {
      faces.dispose();
    }
  },
};

export type Methods = typeof methods;

let queue: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent) => {
  const { id, method, args } = data as { id: number; method: keyof Methods; args: unknown[] };
  if (method === "open") args.push(overtake());
  const answer = async (): Promise<void> => {
    try {
      const run = methods[method] as (...args: unknown[]) => Promise<unknown>;
      postMessage({ id, result: await run(...args) });
    } catch (error) {
      postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
  };
  // Files come from the disk or the network, and no picture waits for them.
  if (method === "missing" || method === "keep") void answer();
  else queue = queue.then(answer);
});
