/** Draws pictures from a folder that `tfanime export web` has written. */

export type Backend = "webgpu" | "webgl" | "wasm" | "cpu";

/** Values of attributes by name: of a group one of its values, of a flag true or false, of a
 * value a number. `generator.fields` lists them. */
export type Tags = Record<string, string | boolean | number>;

export interface Field {
  name: string;
  kind: "group" | "flag" | "value";
  /** Of a group, in the order of the label columns. */
  values: string[];
  /** How often each value occurs in the training set; empty if that is not known. */
  frequencies: number[];
  /** Range of a value. */
  low: number;
  high: number;
}

export interface LoadOptions {
  /** One of the names in tfanime.json; by default the first. */
  model?: string;
  /** "auto" (default) takes the fastest that reproduces the model's reference picture. Another
   * one is tried first; if it fails, the next that works takes its place. */
  backend?: Backend | "auto";
  /** Bytes of the model that are there, and all of them. */
  onProgress?: (loaded: number, total: number) => void;
  /** A backend was tried and is not used, and why. */
  onFallback?: (backend: Backend, reason: string) => void;
  /** Whole pictures cannot be told, and why: from now on `choose` returns the index that it is given. */
  onUnchosen?: (reason: string) => void;
  /** Fetches with the model what `choose` needs, which is else fetched when that is called. */
  choosing?: boolean;
}

export interface Request {
  /** 0 to 2^53 - 1; default 0. The same seed gives the same picture, here and in Python. */
  seed?: number;
  /** 0 to 2^32 - 1; default 0: which picture of the seed. */
  index?: number;
  /** Attributes to hold fixed; the others are drawn from the training set's frequencies. */
  tags?: Tags;
  /** 0 to 2, default 1: below 1 typical pictures, above 1 unusual ones. */
  truncation?: number;
  /** Goes this part (0 to 1) of the way to the noise of another seed; several steps in turn. */
  vary?: Varied | Varied[];
  /** Goes so far along directions, after everything else: names to standard deviations of the latents,
   * -20 to 20. `generator.directions` lists them. */
  move?: Record<string, number>;
  /** Of a model with styles: the pictures whose style its coarse, middle or fine maps have, such as
   * `{ fine: { seed: 9 } }`. `generator.styles` lists the groups. */
  styles?: Partial<Record<Group, Request>>;
  /** A finished latent vector, instead of the seed's. */
  latent?: ArrayLike<number>;
  /** A number from -1 (no) to 1 (yes) for each label column, instead of `tags`. */
  labels?: ArrayLike<number> | null;
}

export type Group = "coarse" | "middle" | "fine";

export interface Varied {
  seed: number;
  /** Picture of that seed; by default the same as the request's. */
  index?: number | null;
  /** 0 to 1. */
  strength: number;
}

export interface Picture {
  /** height x width x 3 numbers in [-1, 1], row by row. */
  pixels: Float32Array;
  /** The same for a canvas: `context.putImageData(picture.imageData, 0, 0)`. */
  imageData: ImageData;
  height: number;
  width: number;
  latent: Float32Array;
  /** What the network was fed, -1 to 1; null for a model without labels. */
  labels: Float32Array | null;
  /** The same of the pictures that it has styles of. */
  styles: Partial<Record<Group, Pick<Picture, "latent" | "labels" | "styles">>>;
  /** The same in words. */
  tags: Tags;
  /** Milliseconds that drawing took. */
  ms: number;
  backend: Backend;
  /** Of the processor: several with "wasm" on a page that is cross-origin isolated, else 1. */
  threads: number;
}

export class Generator {
  private constructor();
  /** `folder`: address of the exported folder, relative to the page. Throws an Error whose
   * message says what is wrong with the folder, the model or the browser. */
  static load(folder?: string | URL, options?: LoadOptions): Promise<Generator>;
  /** The attributes that this model knows. */
  readonly fields: Field[];
  /** The directions that `move` may name; empty where the model has none. */
  readonly directions: string[];
  /** The groups of maps that `styles` may name; empty where the model has no styles. */
  readonly styles: Group[];
  readonly backend: Backend;
  /** One picture. Calls follow each other: await one before the next. */
  generate(request?: Request): Promise<Picture>;
  /** The index of the first whole picture at or after the request's, as the model's chooser tells; of
   * eight in a row that are broken, that of the best. Of the request only seed, index, tags and
   * truncation count. Without a chooser: the request's own index. */
  choose(request?: Request): Promise<number>;
  /** What the model would draw nearest to a picture of its own size, as its encoder tells: what
   * `generate` takes. Throws if the model has no encoder. */
  encode(image: ImageData): Promise<{ latent: Float32Array; tags: Tags }>;
  /** A larger picture, by the upscaler that was exported with the model; throws if there is none. */
  upscale(picture: Pick<Picture, "pixels" | "height" | "width">): Promise<ImageData>;
  /** Frees the memory. */
  dispose(): void;
}

/** `<tfanime-face seed="7" hair="blue">`, which importing the module defines. Attributes: `seed` or
 * `name` (any text), `index`, `truncation`, `model`, `src` (the exported folder; by default the
 * module's own), `alt`, `small` (not enlarged), and each of the model's attributes, with `-` for
 * `_`. Events: `draw` with the `Picture` as detail, and `error`. */
declare global {
  interface HTMLElementTagNameMap {
    "tfanime-face": HTMLElement;
  }
}
