// A network beside a model's own, which looks at pictures and says numbers. It is fetched when it is
// first needed, and computed where pictures are drawn, or else by the processor.

import type { Backend } from "./backends";
import * as check from "./check";
import type { Looking } from "./manifest";
import { Network } from "./network";
import * as store from "./store";

export class Beside {
  private files: Promise<Map<string, Uint8Array<ArrayBuffer>>> | null = null;
  private network: Network | null = null;
  private readonly unfit = new Set<Backend>();

  constructor(
    private readonly folder: URL,
    private readonly entry: Looking,
    private readonly report: (backend: Backend, reason: string) => void,
    private readonly signal?: AbortSignal,
  ) {}

  /** Begins to fetch the network. That it failed is said when it is asked. */
  fetch(progress?: store.Progress): void {
    this.files ??= store.load(this.folder, this.entry.files, progress, this.signal);
    this.files.catch(() => {});
  }

  /** What it says of a picture `(height, width, 3)` in [-1, 1]: `count` numbers. Throws where no backend
   * can compute it. */
  async look(pixels: Float32Array, shape: number[], count: number, wanted: Backend): Promise<Float32Array<ArrayBuffer>> {
    const reasons: string[] = [];
    for (const backend of new Set([wanted, "wasm", "cpu"] as const)) {
      if (this.unfit.has(backend)) continue;
      try {
        return await this.compute(pixels, shape, count, backend);
      } catch (error) {
        if (error instanceof check.Refused) throw error; // the files are at fault, not the backend
        const reason = error instanceof Error ? error.message : String(error);
        reasons.push(`${backend}: ${reason}`);
        this.unfit.add(backend);
        this.report(backend, reason);
      }
    }
    throw new Error(`Its ${this.entry.name} cannot be computed in this browser (${reasons.join("; ")}).`);
  }

  private async compute(
    values: Float32Array,
    shape: number[],
    count: number,
    backend: Backend,
  ): Promise<Float32Array<ArrayBuffer>> {
    this.fetch();
    const files = await this.files?.catch((error) => {
      this.files = null; // the next time it is fetched again
      throw error;
    });
    if (this.network?.backend !== backend) {
      this.dispose();
      this.network = await Network.open(this.entry, files ?? new Map(), backend);
    }
    const name = this.entry.inputs.pictures;
    const said = (await (this.network as Network).run([{ name, shape: [1, ...shape], values }])).values;
    if (said.length !== count || !said.every(Number.isFinite)) throw new Error("it computes no numbers");
    return said;
  }

  dispose(): void {
    this.network?.dispose();
    this.network = null;
  }
}
