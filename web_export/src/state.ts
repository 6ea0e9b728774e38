// What the page shows: one state, and those who listen to it.

import type { Backend } from "./backends";
import type { Manifest } from "./manifest";
import type { Words } from "./poster/words";
import type { Tags } from "./labels";
import type { Inputs } from "./request";
import { ONE, type Path, type Place, type Scene, type Settings, type View } from "./settings";
import type { Phrase } from "./text";

/** A drawn picture and all that is needed to draw it again. */
export interface Shot extends Inputs {
  id: number;
  settings: Settings;
  tags: Tags;
  image: ImageData;
  /** The same enlarged, of the picture that is shown. */
  large?: ImageData;
  ms: number;
  favourite: boolean;
}

/** One picture of a film. */
export type Still = Inputs & Pick<Shot, "image">;

export type Slot = "from" | "to";

export interface Note {
  phrase: Phrase;
  values?: Record<string, string>;
  bad: boolean;
}

export interface State {
  phase: "loading" | "asking" | "starting" | "ready" | "failed";
  failure: string;
  loaded: number;
  total: number;
  manifest: Manifest | null;
  settings: Settings | null;
  choice: Backend | "auto";
  backend: Backend | null;
  threads: number;
  offline: boolean;
  busy: boolean;
  /** The picture is being enlarged. */
  sharpening: boolean;
  view: View;
  shot: Shot | null;
  history: Shot[];
  count: number;
  endless: boolean;
  many: Shot[];
  slot: Slot;
  ends: Record<Slot, Shot | null>;
  /** Where between the ends the picture is, or the styles that it has of the second; null while it is
   * another. */
  at: Place | null;
  locks: string[];
  frames: number;
  path: Path;
  film: Still[];
  /** How many of them are enlarged, and what is being done. */
  enlarged: number;
  filming: "drawing" | "enlarging" | null;
  explore: Explore;
  poster: Words;
  note: Note | null;
}

/** The neighbourhood of a picture: `x` and `y` of the one that is shown, from -1 to 1. */
export interface Explore {
  origin: Settings | null;
  ring: number;
  spread: number;
  x: number;
  y: number;
  around: Shot[];
}

export const OPENING: State = {
  phase: "loading",
  failure: "",
  loaded: 0,
  total: 0,
  manifest: null,
  settings: null,
  choice: "auto",
  backend: null,
  threads: 1,
  offline: false,
  busy: false,
  sharpening: false,
  view: "one",
  shot: null,
  history: [],
  count: ONE.count,
  endless: false,
  many: [],
  slot: "from",
  ends: { from: null, to: null },
  at: null,
  locks: [],
  frames: ONE.frames,
  path: ONE.path,
  film: [],
  enlarged: 0,
  filming: null,
  explore: { origin: null, ring: ONE.ring, spread: ONE.spread, x: 0, y: 0, around: [] },
  poster: ONE.poster,
  note: null,
};

/** What of the state an address says beside the settings. */
export function sceneOfState(state: State): Scene {
  const { view, count, frames, path, ends, at, locks, explore, poster } = state;
  const joined = { from: ends.from?.settings ?? null, to: ends.to?.settings ?? null };
  const { ring, spread } = explore;
  return { view, count, frames, path, ends: joined, at, locks, ring, spread, poster };
}

export class Store {
  state = OPENING;

  private readonly listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): State => this.state;

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  tell(phrase: Phrase, values: Record<string, string> = {}, bad = false): void {
    this.set({ note: { phrase, values, bad } });
  }

  dismiss(): void {
    this.set({ note: null });
  }
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
