// What the page does, apart from what it looks like: one store that React shows.

import type { Backend } from "./backends";
import { Engine } from "./engine";
import type { Format } from "./formats";
import type { Request } from "./generator";
import type { Tags } from "./labels";
import { lerp, slerp } from "./latent.js";
import { fetchManifest, type Manifest, type Model } from "./manifest";
import {
  defaults,
  fitted,
  freshSeed,
  fromHash,
  fromJson,
  type Settings,
  toHash,
  toJson,
  toRequest,
} from "./settings";
import type { Phrase } from "./text";
import type { News } from "./worker";

/** A drawn picture and all that is needed to draw it again. */
export interface Shot {
  id: number;
  settings: Settings;
  tags: Tags;
  image: ImageData;
  latent: Float32Array<ArrayBuffer>;
  labels: Float32Array<ArrayBuffer> | null;
  ms: number;
}

export type View = "one" | "many" | "blend";
export type Slot = "from" | "to";
export type Path = "slerp" | "lerp";

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
  offline: boolean;
  busy: boolean;
  view: View;
  shot: Shot | null;
  history: Shot[];
  count: number;
  endless: boolean;
  many: Shot[];
  slot: Slot;
  ends: Record<Slot, Shot | null>;
  frames: number;
  path: Path;
  blend: ImageData[];
  blending: boolean;
  note: Note | null;
}

const KEPT = 200;
const LARGE_DOWNLOAD = 1_000_000;
export const FEWEST_FRAMES = 3;
export const MOST_FRAMES = 200;

type Connection = { saveData?: boolean; type?: string };

function metered(): boolean {
  const { connection } = navigator as { connection?: Connection };
  return connection?.saveData === true || connection?.type === "cellular";
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class Studio {
  state: State = {
    phase: "loading",
    failure: "",
    loaded: 0,
    total: 0,
    manifest: null,
    settings: null,
    choice: "auto",
    backend: null,
    offline: false,
    busy: false,
    view: "one",
    shot: null,
    history: [],
    count: 8,
    endless: false,
    many: [],
    slot: "from",
    ends: { from: null, to: null },
    frames: 24,
    path: "slerp",
    blend: [],
    blending: false,
    note: null,
  };

  private readonly folder = new URL(".", location.href.split("#")[0]);
  private readonly listeners = new Set<() => void>();
  private readonly engine = new Engine((news) => this.hear(news));
  private ids = 0;
  private drafting = false; // the newest picture comes from a slider that may move on
  private waiting: { draft: boolean } | null = null;
  private many = 0; // counts runs of drawMany, so that an older one ends
  private blends = 0;

  constructor() {
    addEventListener("hashchange", () => this.followAddress());
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): State => this.state;

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  private hear(news: News): void {
    if (news.event === "progress") {
      const { loaded, total } = news;
      // Files that arrive after one of them has failed change nothing.
      if (this.state.phase !== "loading" && this.state.phase !== "starting") return;
      this.set({ phase: loaded === total ? "starting" : "loading", loaded, total });
    } else {
      this.tell("fallback", { backend: news.backend, reason: news.reason }, true);
    }
  }

  tell(phrase: Phrase, values: Record<string, string> = {}, bad = false): void {
    this.set({ note: { phrase, values, bad } });
  }

  dismiss(): void {
    this.set({ note: null });
  }

  get model(): Model | null {
    const { manifest, settings } = this.state;
    return manifest?.models.find(({ name }) => name === settings?.model) ?? null;
  }

  // ---- opening ---------------------------------------------------------------------------------

  async start(): Promise<void> {
    try {
      const manifest = await fetchManifest(this.folder);
      this.set({ manifest, settings: defaults(manifest.models[0]) });
      const asked = this.asked();
      if (asked) this.set({ settings: asked });
    } catch (error) {
      this.set({ phase: "failed", failure: reason(error) });
      return;
    }
    await this.open();
  }

  /** What the address asks for; a bad one gets a sentence and is ignored. */
  private asked(): Settings | null {
    const { manifest } = this.state;
    if (!manifest) return null;
    try {
      return fromHash(location.hash, manifest);
    } catch (error) {
      this.tell("addressFailed", { reason: reason(error) }, true);
      return null;
    }
  }

  private followAddress(): void {
    const { settings, manifest } = this.state;
    if (!settings || !manifest || location.hash === toHash(settings, manifest)) return;
    const asked = this.asked();
    if (asked) this.use(asked);
  }

  /** Opens the chosen model. `agreed`: whatever its size. */
  async open(agreed = false): Promise<void> {
    const { settings, choice } = this.state;
    if (!settings) return this.start();
    this.set({ phase: "loading", loaded: 0, total: 0, backend: null, failure: "" });
    this.many++;
    this.blends++;
    try {
      if (!agreed && metered()) {
        const missing = await this.engine.call("missing", this.folder.href, settings.model);
        if (missing > LARGE_DOWNLOAD) {
          this.set({ phase: "asking", total: missing });
          return;
        }
      }
      const { backend } = await this.engine.call("open", this.folder.href, settings.model, choice);
      this.set({ phase: "ready", backend });
    } catch (error) {
      this.set({ phase: "failed", failure: reason(error) });
      return;
    }
    await this.draw(false);
    if (choice === "auto") {
      const { backend } = await this.engine.call("chooseFastest");
      this.set({ backend });
    }
    await this.prepareOffline();
  }

  private async prepareOffline(): Promise<void> {
    const { serviceWorker } = navigator;
    const { settings } = this.state;
    if (!import.meta.env.PROD || !serviceWorker || !settings) return;
    try {
      await serviceWorker.register("sw.js");
      await serviceWorker.ready;
      const missing = await this.engine.call("missing", this.folder.href, settings.model);
      this.set({ offline: missing === 0 });
    } catch {
      this.set({ offline: false }); // private windows forbid it; all else works
    }
  }

  /** Settings as a whole: from a file, the address or the history. */
  use(settings: Settings): void {
    const other = settings.model !== this.state.settings?.model;
    this.set({ settings });
    if (other) void this.open();
    else void this.draw(false);
  }

  chooseModel(name: string): void {
    const { manifest, settings } = this.state;
    const model = manifest?.models.find((entry) => entry.name === name);
    if (!model || !settings) return;
    this.set({ ends: { from: null, to: null }, blend: [], many: [] });
    this.use(fitted(settings, model));
  }

  chooseBackend(choice: Backend | "auto"): void {
    this.set({ choice });
    void this.open(true);
  }

  // ---- one picture -----------------------------------------------------------------------------

  private async shoot(settings: Settings, request?: Request): Promise<Shot> {
    const fields = this.model?.fields ?? [];
    const asked = request ?? toRequest(settings, fields, this.model?.rows ?? null);
    const { tags, shown, latent, labels, ms, backend } = await this.engine.call(
      "generate",
      asked,
      settings.large,
    );
    if (backend !== this.state.backend) this.set({ backend });
    return { id: ++this.ids, settings, tags, image: shown, latent, labels, ms };
  }

  /** A new picture, unless the visitor keeps the seed. */
  again(): void {
    const { settings, view } = this.state;
    if (!settings) return;
    if (!settings.keepSeed) {
      this.set({ settings: { ...settings, seed: freshSeed(), index: 0 } });
    }
    if (view === "many") void this.drawMany();
    else if (view === "blend") void this.drawBlend();
    else void this.draw(false);
  }

  keepSeed(keepSeed: boolean): void {
    const { settings } = this.state;
    if (settings) this.set({ settings: { ...settings, keepSeed } });
  }

  /** Changes what is drawn, and draws it. */
  change(change: Partial<Settings>, draft = false): void {
    const { settings, view } = this.state;
    if (!settings) return;
    this.set({ settings: { ...settings, ...change } });
    if (view === "many") void this.drawMany();
    else void this.draw(draft);
  }

  /** Changes of the last milliseconds are drawn once: while one picture is being drawn, only the
   * newest wish is kept. */
  async draw(draft: boolean): Promise<void> {
    this.waiting = { draft };
    if (this.state.busy || this.state.phase !== "ready") return;
    this.set({ busy: true });
    try {
      while (this.waiting) {
        const wish: { draft: boolean } = this.waiting;
        this.waiting = null;
        const { settings } = this.state;
        if (!settings) break;
        const shot = await this.shoot(settings);
        const older = this.drafting && wish.draft ? this.state.history.slice(1) : this.state.history;
        this.drafting = wish.draft;
        this.set({ shot, history: [shot, ...older].slice(0, KEPT) });
        this.writeAddress();
      }
    } catch (error) {
      this.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      this.set({ busy: false });
    }
  }

  private writeAddress(): void {
    const { settings, manifest } = this.state;
    if (settings && manifest) history.replaceState(null, "", toHash(settings, manifest));
  }

  restore(shot: Shot): void {
    const { view, slot, ends } = this.state;
    if (view === "blend") {
      this.set({ ends: { ...ends, [slot]: shot }, slot: slot === "from" ? "to" : "from", blend: [] });
      return;
    }
    this.drafting = false;
    const other = shot.settings.model !== this.state.settings?.model;
    this.set({ settings: shot.settings, shot, view: "one" });
    this.writeAddress();
    if (other) void this.open();
  }

  // ---- many ------------------------------------------------------------------------------------

  look(view: View): void {
    this.many++;
    this.blends++;
    this.set({ view, blending: false });
    if (view === "many" && !this.state.many.length) void this.drawMany();
    if (view === "blend") {
      const [to, from] = this.state.history.filter(
        ({ settings }) => settings.model === this.state.settings?.model,
      );
      const { ends } = this.state;
      this.set({ ends: { from: ends.from ?? from ?? null, to: ends.to ?? to ?? null } });
    }
  }

  setMany(count: number, endless: boolean): void {
    this.set({ count, endless });
    void this.drawMany(true);
  }

  /** Pictures 0, 1, 2, ... of the seed. `more`: keeps those that are there. */
  async drawMany(more = false): Promise<void> {
    const run = ++this.many;
    if (this.state.phase !== "ready" || !this.state.settings) return;
    const { settings, endless, count } = this.state;
    const there = more ? this.state.many : [];
    const goal = endless ? there.length + 12 : count;
    this.set({ many: there.slice(0, goal), busy: true });
    this.writeAddress();
    try {
      for (let index = this.state.many.length; index < goal && run === this.many; index++) {
        const shot = await this.shoot({ ...settings, index });
        if (run === this.many) this.set({ many: [...this.state.many, shot] });
      }
    } catch (error) {
      this.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      if (run === this.many) this.set({ busy: false });
    }
  }

  openOne(shot: Shot): void {
    this.many++;
    this.drafting = false;
    this.set({
      view: "one",
      settings: shot.settings,
      shot,
      busy: false,
      history: [shot, ...this.state.history].slice(0, KEPT),
    });
    this.writeAddress();
  }

  // ---- transitions -----------------------------------------------------------------------------

  setBlend(change: Partial<Pick<State, "frames" | "path" | "slot">>): void {
    this.set(change);
  }

  async shufflePair(): Promise<void> {
    const { settings } = this.state;
    if (!settings) return;
    this.set({ ends: { from: null, to: null }, blend: [] });
    await this.drawBlend();
  }

  /** Frame i of n lies i / (n - 1) of the way: the first and the last are the two pictures. */
  async drawBlend(): Promise<void> {
    const run = ++this.blends;
    const { settings, frames, path, phase } = this.state;
    if (!settings || phase !== "ready") return;
    this.set({ blending: true, blend: [] });
    try {
      for (const slot of ["from", "to"] as const) {
        if (this.state.ends[slot]) continue;
        const shot = await this.shoot({ ...settings, seed: freshSeed(), index: 0 });
        if (run !== this.blends) return;
        const history = [shot, ...this.state.history].slice(0, KEPT);
        this.set({ ends: { ...this.state.ends, [slot]: shot }, history });
      }
      const { from, to } = this.state.ends;
      if (!from || !to) return;
      const way = path === "slerp" ? slerp : lerp;
      for (let i = 0; i < frames && run === this.blends; i++) {
        const t = i / (frames - 1);
        const request: Request = { latent: way(from.latent, to.latent, t) };
        if (from.labels && to.labels) request.labels = lerp(from.labels, to.labels, t);
        const { image } = await this.shoot(settings, request);
        if (run === this.blends) this.set({ blend: [...this.state.blend, image] });
      }
    } catch (error) {
      this.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      if (run === this.blends) this.set({ blending: false });
    }
  }

  stop(): void {
    this.many++;
    this.blends++;
    this.set({ busy: false, blending: false });
  }

  // ---- files -----------------------------------------------------------------------------------

  async animation(format: Format, milliseconds: number): Promise<Blob> {
    return this.engine.call("encode", format, { images: this.state.blend, milliseconds });
  }

  settingsFile(): Blob {
    const { settings } = this.state;
    return new Blob([settings ? toJson(settings) : ""], { type: "application/json" });
  }

  async readSettings(file: File): Promise<void> {
    const { manifest } = this.state;
    if (!manifest) return;
    try {
      if (file.size > 1_000_000) throw new Error("The file is longer than a megabyte.");
      const settings = fromJson(await file.text(), manifest);
      this.tell("imported");
      this.look("one");
      this.use(settings);
    } catch (error) {
      this.tell("importFailed", { reason: reason(error) }, true);
    }
  }
}
