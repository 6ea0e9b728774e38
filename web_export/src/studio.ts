// What the page does, apart from what it looks like: one store that React shows.

import type { Backend } from "./backends";
import { Engine } from "./engine";
import type { Format } from "./formats";
import type { Request } from "./generator";
import { columns, type Tag, type Tags } from "./labels";
import { lerp, slerp } from "./latent.js";
import { fetchManifest, type Manifest, type Model } from "./manifest";
import {
  defaults,
  fitted,
  freshSeed,
  fromHash,
  fromJson,
  held,
  ONE,
  type Path,
  type Scene,
  sceneOf,
  type Settings,
  toHash,
  toJson,
  toRequest,
  type View,
} from "./settings";
import { Shelf } from "./shelf";
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
  favourite: boolean;
}

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
    count: ONE.count,
    endless: false,
    many: [],
    slot: "from",
    ends: { from: null, to: null },
    frames: ONE.frames,
    path: ONE.path,
    blend: [],
    blending: false,
    note: null,
  };

  private readonly folder = new URL(".", location.href.split("#")[0]);
  private readonly listeners = new Set<() => void>();
  private readonly engine = new Engine((news) => this.hear(news));
  private ids = Date.now() * 1000; // later than those of earlier visits
  private drafting = false; // the newest picture comes from a slider that may move on
  private waiting: { draft: boolean } | null = null;
  private opens = 0; // counts openings, so that one that was overtaken changes nothing
  private many = 0; // counts runs of drawMany, so that an older one ends
  private blends = 0;
  private asking: Scene["ends"] = ONE.ends; // what an address joins, until it is drawn
  private replacing = true; // the next address is no step of its own to go back to
  private readonly shelf = new Shelf(this.folder.href, (error) => this.hearShelf(error));

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
      if (asked) {
        this.show(asked.scene);
        this.set({ settings: asked.settings });
      }
      void this.recall();
    } catch (error) {
      this.set({ phase: "failed", failure: reason(error) });
      return;
    }
    await this.open();
  }

  /** What the address asks for; a bad one gets a sentence and is ignored. */
  private asked(): { settings: Settings; scene: Scene } | null {
    const { manifest } = this.state;
    if (!manifest) return null;
    try {
      const settings = fromHash(location.hash, manifest);
      return settings && { settings, scene: sceneOf(location.hash, manifest, settings.model) };
    } catch (error) {
      this.tell("addressFailed", { reason: reason(error) }, true);
      return null;
    }
  }

  private followAddress(): void {
    const { settings, manifest } = this.state;
    if (!settings || !manifest || location.hash === this.hash()) return;
    const asked = this.asked();
    if (!asked) return;
    this.many++;
    this.blends++;
    this.replacing = true;
    this.show(asked.scene);
    const wanted = { ...asked.settings, keepSeed: settings.keepSeed };
    const known = this.state.history.find((shot) => this.same(shot.settings, wanted));
    if (asked.scene.view === "one" && known && wanted.model === settings.model) {
      this.waiting = null;
      this.drafting = false;
      this.replacing = false;
      this.set({ settings: wanted, shot: known, busy: false });
    } else this.use(wanted);
  }

  private show({ view, count, frames, path, ends }: Scene): void {
    this.asking = ends;
    const none = { from: null, to: null };
    this.set({ view, count, frames, path, blending: false, ...(view === "blend" ? { ends: none, blend: [] } : {}) });
  }

  /** Opens the chosen model. `agreed`: whatever its size. */
  async open(agreed = false): Promise<void> {
    const { settings, choice } = this.state;
    if (!settings) return this.start();
    const run = ++this.opens;
    this.set({ phase: "loading", loaded: 0, total: 0, backend: null, failure: "" });
    this.many++;
    this.blends++;
    try {
      if (!agreed && metered()) {
        const missing = await this.engine.call("missing", this.folder.href, settings.model);
        if (run !== this.opens) return;
        if (missing > LARGE_DOWNLOAD) {
          this.set({ phase: "asking", total: missing });
          return;
        }
      }
      const { backend } = await this.engine.call("open", this.folder.href, settings.model, choice);
      if (run !== this.opens) return;
      this.set({ phase: "ready", backend });
    } catch (error) {
      if (run === this.opens) this.set({ phase: "failed", failure: reason(error) });
      return;
    }
    await this.drawView();
    if (choice === "auto" && run === this.opens) {
      const { backend } = await this.engine.call("chooseFastest");
      if (run === this.opens) this.set({ backend });
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
    else void this.drawView();
  }

  /** Draws what the view shows. */
  private async drawView(): Promise<void> {
    if (this.state.view === "many") await this.drawMany();
    else if (this.state.view === "blend" && this.asking.from) await this.drawBlend();
    else await this.draw(false);
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

  /** Holds attributes, or with null leaves them to chance. */
  hold(tags: Record<string, Tag | null>): void {
    const { settings } = this.state;
    if (settings) this.change(held(settings, this.model?.fields ?? [], tags));
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
    return { id: ++this.ids, settings, tags, image: shown, latent, labels, ms, favourite: false };
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
        const moved = this.drafting && wish.draft;
        this.drafting = wish.draft;
        this.replacing ||= moved;
        this.set({ shot });
        this.collect(shot, moved);
        this.writeAddress();
      }
    } catch (error) {
      this.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      this.set({ busy: false });
    }
  }

  private hash(): string {
    const { settings, manifest, view, count, frames, path, ends } = this.state;
    if (!settings || !manifest) return "";
    const joined = { from: ends.from?.settings ?? null, to: ends.to?.settings ?? null };
    const first = view === "many" ? { ...settings, index: 0 } : settings;
    return toHash(first, manifest, { view, count, frames, path, ends: joined });
  }

  /** Each picture and each view is a step to go back to, but not every move of a slider. */
  private writeAddress(): void {
    const hash = this.hash();
    if (hash !== location.hash) {
      if (this.replacing) history.replaceState(null, "", hash);
      else history.pushState(null, "", hash);
    }
    this.replacing = false;
  }

  // ---- pictures that are kept ------------------------------------------------------------------

  /** Puts a picture first, `instead` of the one that is first, and of another of the same settings:
   * a favourite stays one. */
  private collect(shot: Shot, instead = false): void {
    const [newest, ...others] = this.state.history;
    const left = instead ? others : this.state.history;
    if (instead && newest) this.shelf.remove(newest.id);
    const twins = left.filter(({ id, settings }) => id === shot.id || this.same(settings, shot.settings));
    for (const { id } of twins) if (id !== shot.id) this.shelf.remove(id);
    const first = { ...shot, favourite: twins.some(({ favourite }) => favourite) };
    const all = [first, ...left.filter((one) => !twins.includes(one))];
    let room = KEPT;
    const history = all.filter((one) => one.favourite || room-- > 0);
    for (const one of all) if (!history.includes(one)) this.shelf.remove(one.id);
    this.shelf.put(first);
    this.set({ history });
  }

  /** What was drawn before the page was opened. */
  private async recall(): Promise<void> {
    const models = new Map(this.state.manifest?.models.map((model) => [model.name, model]));
    const fit = ({ settings, latent, labels }: Shot) => {
      const model = models.get(settings.model);
      const width = model && columns(model.fields).length;
      return model?.latentDim === latent.length && width === (labels?.length ?? 0);
    };
    const found = (await this.shelf.all()).filter(fit);
    const drawn = [...this.state.history].reverse();
    this.set({ history: found.filter(({ id }) => !drawn.some((shot) => shot.id === id)).reverse() });
    for (const shot of drawn) this.collect(shot); // that were drawn meanwhile
  }

  favour(shot: Shot, favourite: boolean): void {
    const changed = { ...shot, favourite };
    this.shelf.put(changed);
    const history = this.state.history.map((one) => (one.id === shot.id ? changed : one));
    this.set({ history, shot: this.state.shot?.id === shot.id ? changed : this.state.shot });
  }

  /** Forgets all pictures but the favourites. */
  forget(): void {
    const history = this.state.history.filter(({ favourite }) => favourite);
    for (const { id, favourite } of this.state.history) if (!favourite) this.shelf.remove(id);
    this.set({ history });
  }

  private hearShelf(error: unknown): void {
    this.tell("notKept", { reason: reason(error) }, true);
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
    const { shot, many, settings } = this.state;
    this.writeAddress();
    // What is shown is what the address and the settings say, also if they changed elsewhere.
    if (view === "one" && !(shot && this.same(shot.settings, settings))) void this.draw(false);
    const first = many[0]?.settings;
    if (view === "many" && !(first && settings && this.same(first, { ...settings, index: 0 }))) {
      void this.drawMany();
    }
    if (view === "blend") {
      const [to, from] = this.state.history.filter(
        ({ settings }) => settings.model === this.state.settings?.model,
      );
      const { ends } = this.state;
      this.set({ ends: { from: ends.from ?? from ?? null, to: ends.to ?? to ?? null } });
      this.writeAddress();
    }
  }

  /** Whether two settings draw the same picture. */
  private same(a: Settings, b: Settings | null): boolean {
    const { manifest } = this.state;
    return manifest !== null && b !== null && a.model === b.model && toHash(a, manifest) === toHash(b, manifest);
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
    });
    this.collect(shot);
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
    const asked = this.asking;
    this.asking = ONE.ends;
    try {
      for (const slot of ["from", "to"] as const) {
        if (this.state.ends[slot]) continue;
        const wanted = asked[slot] ?? { ...settings, seed: freshSeed(), index: 0 };
        const shot = await this.shoot(wanted);
        if (run !== this.blends) return;
        this.set({ ends: { ...this.state.ends, [slot]: shot } });
        this.collect(shot);
      }
      this.writeAddress();
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
