// The JavaScript module: `import { Generator } from "./tfanime.js"`. docs/site.md describes it,
// public/tfanime.d.ts types it.

import { accelerated, type Backend, BACKENDS, threads, using } from "./backends";
import { Beside } from "./beside";
import * as check from "./check";
import { Judge, RUN_OF } from "./chooser";
import { columns, decode, type Field, type Tags } from "./labels";
import { PICTURES } from "./latent.js";
import { fetchManifest, filesOf, type Group, type Manifest, type Model, type Upscaler } from "./manifest";
import { type Feed, Network, type Styled } from "./network";
import { difference, emptiness, fromImageData, misfit, toImageData } from "./pixels";
import { type Inputs, inputs, type Request } from "./request";
import * as store from "./store";

export type { Backend, Field, Manifest, Model, Tags, Upscaler };

export interface LoadOptions {
  model?: string;
  backend?: Backend | "auto";
  onProgress?: store.Progress;
  /** A backend was tried and is not used, and why. */
  onFallback?: (backend: Backend, reason: string) => void;
  /** Whole pictures cannot be told, and why: `choose` returns the index that it is given from now on. */
  onUnchosen?: (reason: string) => void;
  /** Fetches with the model what `choose` needs, which is else fetched when that is called. */
  choosing?: boolean;
  /** What `tfanime.json` says, if that has been read. */
  manifest?: Manifest;
  /** Ends what is being fetched for the model, now or later. */
  signal?: AbortSignal;
}

export interface Picture extends Inputs {
  pixels: Float32Array<ArrayBuffer>;
  imageData: ImageData;
  height: number;
  width: number;
  tags: Tags;
  ms: number;
  backend: Backend;
  threads: number;
}

/** What a picture would be drawn from, as far as can be told. */
export interface Encoded {
  latent: Float32Array<ArrayBuffer>;
  tags: Tags;
}

// WASM runs everywhere and starts fastest; plain JavaScript is slow but hardly ever fails.
const ORDER: readonly Backend[] = ["wasm", "webgl", "webgpu", "cpu"];

/** What the network has made of inputs. */
interface Made extends Inputs {
  values: Float32Array<ArrayBuffer>;
  ms: number;
  backend: Backend;
}

export class Generator {
  private upscaler: Network | null = null;
  private readonly unfit = new Set<Backend>(); // that do not enlarge rightly
  private made: Made | null = null; // what was chosen, which is likely to be asked for next
  private readonly encoder: Beside | null;

  private constructor(
    readonly folder: URL,
    readonly model: Model,
    private readonly files: Map<string, Uint8Array<ArrayBuffer>>,
    private network: Network,
    private readonly report: NonNullable<LoadOptions["onFallback"]>,
    private judge: Judge | null,
    private readonly unchosen: NonNullable<LoadOptions["onUnchosen"]>,
    private readonly signal?: AbortSignal,
  ) {
    this.encoder = model.encoder && new Beside(folder, model.encoder, report, signal);
  }

  /** The label fields that `tags` may name. */
  get fields(): Field[] {
    return this.model.fields;
  }

  /** The directions that `move` may name. */
  get directions(): string[] {
    return this.model.directions.map(({ name }) => name);
  }

  /** The groups of maps that `styles` may name. */
  get styles(): Group[] {
    return Object.keys(this.model.styles) as Group[];
  }

  get backend(): Backend {
    return this.network.backend;
  }

  static async load(folder: string | URL = ".", options: LoadOptions = {}): Promise<Generator> {
    const wanted = check.oneOf(options.backend ?? "auto", "backend", ["auto", ...BACKENDS] as const);
    const base = new URL(folder, globalThis.document?.baseURI ?? globalThis.location?.href);
    if (!base.pathname.endsWith("/")) base.pathname += "/";
    const order = [...ORDER];
    if (wanted !== "auto") order.unshift(...order.splice(order.indexOf(wanted), 1));
    // Its code arrives while the model does. If it fails, that is said when its turn comes.
    const started = using(order[0], () => {}).catch(() => {});
    const manifest = options.manifest ?? (await fetchManifest(base));
    const names = manifest.models.map((model) => model.name);
    const name = check.oneOf(options.model ?? names[0], "model", names);
    const model = manifest.models.find((entry) => entry.name === name) as Model;
    const { onFallback: report = () => {}, onUnchosen = () => {}, onProgress = () => {}, signal } = options;
    const judge = model.chooser && new Judge(base, model.chooser, report, signal);
    const wished = options.choosing ? filesOf(model, false) : model.files;
    const total = wished.reduce((sum, file) => sum + file.bytes, 0);
    const arrived = [0, 0];
    const part = (i: number) => (bytes: number) => {
      arrived[i] = bytes;
      onProgress(arrived[0] + arrived[1], total);
    };
    if (options.choosing) judge?.fetch(part(1));
    const files = await store.load(base, model.files, part(0), signal);
    const kits = manifest.models.flatMap(({ poster, chooser, encoder }) => [poster, chooser, encoder].flatMap((one) => one ?? []));
    const known = [...manifest.models, ...manifest.upscalers, ...kits].flatMap((entry) => entry.files);
    void store.forgetOthers(base, known);
    await started;
    const network = await firstThatDraws(model, files, order, report);
    const generator = new Generator(base, model, files, network, report, judge, onUnchosen, signal);
    if (wanted === "auto") await generator.chooseFastest();
    return generator;
  }

  /** Tries the backends with graphics hardware behind them, and stays with the fastest that
   * reproduces the reference picture. */
  async chooseFastest(): Promise<void> {
    let least: number | null = null; // ms of the network in use, once there is another
    for (const backend of await accelerated()) {
      if (backend === this.backend) continue;
      let network: Network;
      try {
        network = await opened(this.model, this.files, backend);
      } catch (error) {
        this.report(backend, message(error));
        continue;
      }
      least ??= await this.time(this.network);
      const ms = await this.time(network);
      const better = ms < least;
      (better ? this.network : network).dispose();
      if (!better) continue;
      this.network = network;
      least = ms;
    }
  }

  /** Shortest of three drawings, after the one that opening the network has made. */
  private async time(network: Network): Promise<number> {
    let shortest = Infinity;
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      await network.run(feeds(this.model, this.model.references[0]));
      shortest = Math.min(shortest, performance.now() - began);
    }
    return shortest;
  }

  async generate(request: Request = {}): Promise<Picture> {
    const found = inputs(this.model, request);
    const { made } = this;
    this.made = null; // a picture belongs to one caller, who may change it
    const same = made?.backend === this.backend && alike(made, found);
    const { values, ms, backend } = same ? made : await this.make(found);
    const { height, width } = this.model;
    const imageData = toImageData(values, height, width);
    return { ...found, pixels: values, imageData, height, width, ms, backend, threads: threads(backend) };
  }

  private async make(found: Inputs): Promise<Made> {
    const began = performance.now();
    const values = await this.draw(feeds(this.model, found), styled(this.model, found));
    return { ...found, values, ms: performance.now() - began, backend: this.backend };
  }

  /** The index of the first whole picture at or after the request's, as the model's chooser tells; of RUN_OF
   * of which none is whole, the best. Of the request only seed, index, tags and truncation count: a picture
   * that is tuned stays the same. */
  async choose({ seed, tags, truncation, ...request }: Request = {}): Promise<number> {
    const index = check.whole(request.index ?? 0, "index", 0, PICTURES);
    let [best, least]: [number, number] = [index, Infinity];
    for (let i = index; this.judge && i < index + RUN_OF && i <= PICTURES; i++) {
      const made = await this.make(inputs(this.model, { seed, index: i, tags, truncation }));
      const { height, width } = this.model;
      try {
        const { score, whole } = await this.judge.judge(made.values, [height, width, 3], made.backend);
        if (score < least) [best, least, this.made] = [i, score, made];
        if (whole) return i;
      } catch (error) {
        this.signal?.throwIfAborted(); // nobody waits for it any more
        this.judge.dispose();
        this.judge = null;
        this.unchosen(message(error));
      }
    }
    return this.judge ? best : index;
  }

  /** Latent and attributes of a picture of the model's size, as its encoder tells them. */
  async encode(image: ImageData): Promise<Encoded> {
    const { height, width, latentDim, fields } = this.model;
    if (!this.encoder) throw new check.Refused("No encoder was exported with this model.");
    if (image.height !== height || image.width !== width) {
      check.refuse("A picture to encode", `${width}x${height} pixels`, `${image.width}x${image.height}`);
    }
    const count = latentDim + columns(fields).length;
    const said = await this.encoder.look(fromImageData(image), [height, width, 3], count, this.backend);
    const likely = Array.from(said.subarray(latentDim), (x) => 1 / (1 + Math.exp(-x)));
    return { latent: said.slice(0, latentDim), tags: decode(likely, fields) };
  }

  /** Runs the network; if it fails or draws nothing, as after a graphics driver's reset, goes to
   * another backend first. */
  private async draw(...given: [Feed[], Styled[]]): Promise<Float32Array<ArrayBuffer>> {
    let reason: string | null;
    try {
      const { values } = await this.network.run(...given);
      reason = emptiness(values);
      if (!reason) return values;
    } catch (error) {
      reason = message(error);
    }
    const failed = this.backend;
    this.report(failed, reason);
    const others = ORDER.filter((backend) => backend !== failed);
    const network = await firstThatDraws(this.model, this.files, others, this.report);
    this.network.dispose();
    this.network = network;
    return (await network.run(...given)).values;
  }

  /** A larger picture, by the upscaler that was exported with the model. */
  async upscale(picture: Pick<Picture, "pixels" | "height" | "width">): Promise<ImageData> {
    const entry = this.model.upscaler;
    if (!entry) throw new check.Refused("No upscaler was exported with this model.");
    const reasons: string[] = [];
    for (const backend of new Set([this.backend, "wasm", "cpu"] as const)) {
      if (this.unfit.has(backend)) continue;
      try {
        return await this.enlarge(entry, picture, backend);
      } catch (error) {
        if (error instanceof check.Refused) throw error; // the files are at fault, not the backend
        reasons.push(`${backend}: ${message(error)}`);
        this.unfit.add(backend);
        this.report(backend, message(error));
      }
    }
    throw new Error(`${entry.name} cannot be drawn in this browser (${reasons.join("; ")}).`);
  }

  private async enlarge(
    entry: Upscaler,
    { pixels, height, width }: Pick<Picture, "pixels" | "height" | "width">,
    backend: Backend,
  ): Promise<ImageData> {
    if (this.upscaler?.backend !== backend) {
      this.upscaler?.dispose();
      this.upscaler = null;
      const files = await store.load(this.folder, entry.files, undefined, this.signal);
      this.upscaler = await Network.open(entry, files, backend);
    }
    const feed = { name: entry.inputs.pictures, shape: [1, height, width, 3], values: pixels };
    const { values } = await this.upscaler.run([feed]);
    // Graphics drivers are what draws wrongly; programs of a processor draw, or fail.
    const trusted = backend === "wasm" || backend === "cpu";
    const wrong = trusted ? emptiness(values) : misfit(values, pixels, height, width, entry.factor);
    if (wrong) throw new Error(wrong);
    return toImageData(values, height * entry.factor, width * entry.factor);
  }

  dispose(): void {
    this.network.dispose();
    this.upscaler?.dispose();
    this.judge?.dispose();
    this.encoder?.dispose();
  }
}

// ---- choosing a backend --------------------------------------------------------------------------

function feeds(model: Model, { latent, labels }: Pick<Inputs, "latent" | "labels">): Feed[] {
  const found = [{ name: model.inputs.latents, shape: [1, latent.length], values: latent }];
  if (model.inputs.labels && labels) {
    found.push({ name: model.inputs.labels, shape: [1, labels.length], values: labels });
  }
  return found;
}

/** Whether two pictures without styles of others are made of the same. */
function alike(a: Inputs, b: Inputs): boolean {
  const equal = (x: Float32Array | null, y: Float32Array | null) =>
    x?.length === y?.length && (x ?? []).every((value, i) => value === y?.[i]);
  const plain = [a, b].every(({ styles }) => !Object.keys(styles).length);
  return plain && equal(a.latent, b.latent) && equal(a.labels, b.labels);
}

function styled(model: Model, { styles }: Inputs): Styled[] {
  return Object.entries(styles).map(([group, one]) => ({
    steps: model.styles[group as Group] ?? [],
    feeds: feeds(model, one),
  }));
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The model on `backend`, which has been seen to draw the stored reference picture. */
async function opened(
  model: Model,
  files: Map<string, Uint8Array<ArrayBuffer>>,
  backend: Backend,
): Promise<Network> {
  const network = await Network.open(model, files, backend);
  try {
    const reference = model.references[0];
    const { values } = await network.run(feeds(model, reference));
    const size = model.height * model.width * 3;
    const stored = files.get(reference.picture)?.subarray(reference.offset, reference.offset + size);
    if (stored?.length !== size) throw new check.Refused("its reference picture is missing");
    const wrong = difference(values, stored, model.tolerance);
    if (wrong) throw new Error(wrong);
    return network;
  } catch (error) {
    network.dispose();
    throw error;
  }
}

async function firstThatDraws(
  model: Model,
  files: Map<string, Uint8Array<ArrayBuffer>>,
  order: Backend[],
  report: (backend: Backend, reason: string) => void,
): Promise<Network> {
  const reasons: string[] = [];
  for (const backend of order) {
    try {
      return await opened(model, files, backend);
    } catch (error) {
      reasons.push(`${backend}: ${message(error)}`);
      report(backend, message(error));
      if (error instanceof check.Refused) break; // the files are at fault, not the backend
    }
  }
  throw new check.Refused(`${model.name} cannot be drawn in this browser (${reasons.join("; ")}).`);
}

