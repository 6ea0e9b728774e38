// Tells broken pictures from whole ones, by the network that a model has for it.

import type { Backend } from "./backends";
import * as check from "./check";
import type { Chooser } from "./manifest";
import { Network } from "./network";
import * as store from "./store";

export const RUN_OF = 8; // pictures: of so many in a row that are rejected, the best is shown

export class Judge {
  private files: Promise<Map<string, Uint8Array<ArrayBuffer>>> | null = null;
  private network: Network | null = null;
  private readonly unfit = new Set<Backend>();

  constructor(
    private readonly folder: URL,
    private readonly entry: Chooser,
    private readonly report: (backend: Backend, reason: string) => void,
  ) {}

  /** Begins to fetch the network. That it failed is said when a picture is judged. */
  fetch(progress?: store.Progress): void {
    this.files ??= store.load(this.folder, this.entry.files, progress);
    this.files.catch(() => {});
  }

  /** Whether a picture is shown, and its score: the lower the better. Throws where no backend can
   * tell. */
  async judge(pixels: Float32Array, shape: number[], wanted: Backend): Promise<{ score: number; whole: boolean }> {
    const reasons: string[] = [];
    for (const backend of new Set([wanted, "wasm", "cpu"] as const)) {
      if (this.unfit.has(backend)) continue;
      try {
        const score = await this.score(pixels, shape, backend);
        return { score, whole: score <= this.entry.border };
      } catch (error) {
        if (error instanceof check.Refused) throw error; // the files are at fault, not the backend
        const reason = error instanceof Error ? error.message : String(error);
        reasons.push(`${backend}: ${reason}`);
        this.unfit.add(backend);
        this.report(backend, reason);
      }
    }
    throw new Error(`Its chooser cannot be computed in this browser (${reasons.join("; ")}).`);
  }

  private async score(values: Float32Array, shape: number[], backend: Backend): Promise<number> {
    this.fetch();
    const files = (await this.files) ?? new Map();
    if (this.network?.backend !== backend) {
      this.dispose();
      this.network = await Network.open(this.entry, files, backend);
    }
    const name = this.entry.inputs.pictures;
    const [score] = (await (this.network as Network).run([{ name, shape: [1, ...shape], values }])).values;
    if (!Number.isFinite(score)) throw new Error("it computed no score");
    return score;
  }

  dispose(): void {
    this.network?.dispose();
    this.network = null;
  }
}
