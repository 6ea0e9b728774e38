// Tells broken pictures from whole ones, by the network that a model has for it.

import type { Backend } from "./backends";
import { Beside } from "./beside";
import type { Chooser } from "./manifest";

export const RUN_OF = 8; // pictures: of so many in a row that are rejected, the best is shown

export class Judge extends Beside {
  constructor(
    folder: URL,
    private readonly chooser: Chooser,
    report: (backend: Backend, reason: string) => void,
    signal?: AbortSignal,
  ) {
    super(folder, chooser, report, signal);
  }

  /** Whether a picture is shown, and its score: the lower the better. */
  async judge(pixels: Float32Array, shape: number[], wanted: Backend): Promise<{ score: number; whole: boolean }> {
    const [score] = await this.look(pixels, shape, 1, wanted);
    return { score, whole: score <= this.chooser.border };
  }
}
