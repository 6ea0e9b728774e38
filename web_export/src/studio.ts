// What the page does, apart from what it looks like.

import { Address } from "./address";
import type { Frames } from "./animation";
import type { Backend } from "./backends";
import { Choosing } from "./choosing";
import type { Engine } from "./engine";
import { Explorer } from "./explorer";
import { Films } from "./film";
import type { Format } from "./formats";
import { Gallery } from "./gallery";
import type { Field, Tag } from "./labels";
import { seedOf } from "./latent.js";
import { fetchManifest, type Model } from "./manifest";
import { mixOf, placed, styledOf } from "./moves";
import { Opening } from "./opening";
import { Own } from "./own";
import type { Request } from "./request";
import {
  defaults,
  fitted,
  freshSeed,
  held,
  ONE,
  type Place,
  type Scene,
  type Settings,
  toRequest,
  type View,
  viewsOf,
} from "./settings";
import { Sheet } from "./sheet";
import { reason, type Shot, type Still, Store } from "./state";
import type { Drawn } from "./worker";

const PAUSE = 250; // ms without a move, after which a picture is enlarged

export class Studio extends Store {
  readonly folder = new URL(".", location.href.split("#")[0]);
  readonly gallery = new Gallery(this, this.folder.href);
  readonly films = new Films(this);
  readonly explorer = new Explorer(this);
  readonly sheet = new Sheet(this);
  readonly address = new Address(this);
  readonly choosing = new Choosing(this);
  readonly own = new Own(this);
  readonly opening = new Opening(this);
  private ids = Date.now() * 1000; // later than those of earlier visits
  private waiting: { draft: boolean } | null = null;
  drawing = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly engine: Engine) {
    super();
    engine.onNews = (news) => this.opening.hear(news);
  }

  get model(): Model | null {
    return this.modelOf(this.state.settings?.model);
  }

  modelOf(wanted: string | undefined): Model | null {
    return this.state.manifest?.models.find(({ name }) => name === wanted) ?? null;
  }

  /** Whether pictures are enlarged. */
  get enlarging(): boolean {
    return Boolean(this.state.settings?.large && this.model?.upscaler);
  }

  // ---- opening ---------------------------------------------------------------------------------

  async start(): Promise<void> {
    try {
      const manifest = await fetchManifest(this.folder);
      await new Promise((done) => setTimeout(done)); // a long file: the page answers before it is drawn
      const settings = defaults(manifest.models[0]);
      this.set({ manifest, settings });
      this.choosing.fresh = settings.seed;
      const asked = this.address.asked();
      if (asked) {
        this.address.show(asked.scene);
        this.set({ settings: asked.settings });
      }
      void this.gallery.recall();
    } catch (error) {
      this.set({ phase: "failed", failure: reason(error) });
      return;
    }
    await this.opening.open();
  }

  /** Settings as a whole: from a file, the history, or an address, which also says what is shown. */
  use(settings: Settings, scene?: Scene): void {
    const other = settings.model !== this.state.settings?.model;
    if (other) this.leave(settings.model);
    if (scene) this.address.show(scene);
    this.set({ settings });
    if (other) void this.opening.open();
    else void this.drawView();
  }

  /** Ends what was made by the model that was open, and a view that the next one lacks. */
  private leave(next: string): void {
    const view = viewsOf(this.modelOf(next)).includes(this.state.view) ? this.state.view : "one";
    this.films.asked = ONE.ends;
    this.explorer.clear();
    this.set({ view, ends: { from: null, to: null }, at: null, locks: [], many: [] });
  }

  /** Draws what the view shows. */
  async drawView(): Promise<void> {
    const { view, at } = this.state;
    if (view === "explore") this.explorer.centre();
    if (this.sheet.seen) await this.sheet.draw();
    else if (view === "blend" && this.films.asked.from) {
      if (at === null) await this.films.blend();
      else if (await this.films.ends()) await this.draw(false);
    } else await this.draw(false);
  }

  chooseModel(name: string): void {
    const { settings } = this.state;
    const model = this.modelOf(name);
    if (model && settings) this.use(fitted(settings, model));
  }

  chooseBackend(choice: Backend | "auto"): void {
    this.set({ choice });
    void this.opening.open(true);
  }

  // ---- one picture -----------------------------------------------------------------------------

  async shoot(request: Request): Promise<Drawn> {
    const picture = await this.engine.call("generate", request);
    const { backend, threads } = picture;
    if (backend !== this.state.backend || threads !== this.state.threads) this.set({ backend, threads });
    return picture;
  }

  async shootSettings(settings: Settings): Promise<Shot> {
    const { fields = [], rows = null } = this.model ?? {};
    const { backend: _, threads: __, ...drawn } = await this.shoot(toRequest(settings, fields, rows));
    return { ...drawn, id: ++this.ids, settings, favourite: false };
  }

  /** A new picture, unless the visitor keeps the seed. */
  again(): void {
    const { settings, view } = this.state;
    if (!settings) return;
    if (view === "explore") return this.explorer.next();
    if (!settings.keepSeed) {
      const seed = freshSeed();
      this.set({ settings: { ...settings, seed, index: 0, latent: null } });
      this.choosing.fresh = seed;
    }
    if (this.sheet.seen) void this.sheet.draw();
    else if (view === "blend") void this.films.blend();
    else void this.draw(false);
  }

  /** The face that a name has, or any other text. */
  callBy(text: string): void {
    if (this.state.view !== "one") this.look("one");
    this.change({ seed: seedOf(text), index: 0 });
  }

  /** Changes what is drawn, and draws it. */
  change(change: Partial<Settings>, draft = false): void {
    const { settings, view } = this.state;
    if (!settings) return;
    // Another picture of a seed is not the visitor's own any more.
    const seeded = "seed" in change || "index" in change ? { latent: null } : {};
    this.set({ settings: { ...settings, ...seeded, ...change } });
    if (view === "explore") this.explorer.centre();
    if (this.sheet.seen) void this.sheet.draw(false, draft);
    else void this.draw(draft);
  }

  /** Holds attributes, or with null leaves them to chance. */
  hold(tags: Record<string, Tag | null>, draft = false): void {
    const { settings } = this.state;
    if (settings) this.change(held(settings, this.model?.fields ?? [], tags), draft);
  }

  /** Puts an attribute between its values, as a finger does that moves over the face. */
  morph(field: Field, place: number): void {
    const { settings } = this.state;
    if (settings) this.change(placed(field, place, settings), true);
  }

  /** The picture between two, at this part of the way, or the first with styles of the second. */
  mix(at: Place, locks = this.state.locks): void {
    const { from, to } = this.state.ends;
    if (!from || !to || !this.model) return;
    this.set({ at, locks });
    try {
      const { fields } = this.model;
      this.drawAs(typeof at === "number" ? mixOf(from, to, at, locks, fields) : styledOf(from, to, at));
    } catch (error) {
      this.tell("drawFailed", { reason: reason(error) }, true);
    }
  }

  /** A picture that will move on: of a slider, a map, a mixture. */
  drawAs(settings: Settings): void {
    this.set({ settings });
    void this.draw(true);
  }

  /** Changes of the last milliseconds are drawn once: while one picture is being drawn, only the
   * newest wish is kept. */
  async draw(draft: boolean): Promise<void> {
    this.waiting = { draft };
    this.own.stop();
    this.films.clear();
    if (this.drawing || this.state.phase !== "ready") return;
    const { run } = this.opening;
    this.drawing = true;
    this.set({ busy: true });
    try {
      while (this.waiting) {
        const wish: { draft: boolean } = this.waiting;
        this.waiting = null;
        await this.choosing.settle();
        const { settings } = this.state;
        if (!settings) break;
        const shot = await this.shootSettings(settings);
        // Another picture was opened meanwhile.
        if (!this.waiting && !this.gallery.same(settings, this.state.settings)) continue;
        this.gallery.collect(shot, this.address.drawn(wish.draft));
        this.present(shot, wish.draft);
      }
    } catch (error) {
      // Of a model that has been left, nothing is missed.
      if (run === this.opening.run) this.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      this.drawing = false;
      if (!this.sheet.seen) this.set({ busy: false });
    }
  }

  /** Shows a picture, which keeps its index from now on. */
  present(shot: Shot, draft = false): void {
    this.set({ shot });
    this.choosing.shown(shot.settings);
    this.later(draft);
  }

  /** What takes longer follows when that which is shown stays. */
  later(draft: boolean): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.settle(), draft ? PAUSE : 0);
  }

  async settle(): Promise<void> {
    clearTimeout(this.timer);
    this.address.rest();
    await this.explorer.draw();
    await this.sharpen();
  }

  private async sharpen(): Promise<void> {
    const { shot, settings, phase, view, at } = this.state;
    const seen = view === "one" || view === "explore" || (view === "blend" && at !== null);
    if (!shot || shot.large || !seen || phase !== "ready" || !this.enlarging) return;
    if (shot.settings.model !== settings?.model) return;
    const { run } = this.opening;
    this.set({ sharpening: true });
    try {
      const began = performance.now();
      const large = await this.enlarged(shot);
      const now = this.state.shot;
      if (now?.id === shot.id) this.set({ shot: { ...now, large, ms: now.ms + performance.now() - began } });
    } catch (error) {
      if (run === this.opening.run) this.tell("enlargeFailed", { reason: reason(error) }, true);
    } finally {
      this.set({ sharpening: false });
    }
  }

  enlarged({ latent, labels, styles }: Still): Promise<ImageData> {
    return this.engine.call("enlarge", { latent, labels, styles });
  }

  /** The picture that is shown, as large as it gets. */
  async whole(): Promise<{ shot: Shot; image: ImageData } | null> {
    const { shot } = this.state;
    if (!shot) return null;
    return { shot, image: shot.large ?? (this.enlarging ? await this.enlarged(shot) : shot.image) };
  }

  // ---- views -----------------------------------------------------------------------------------

  restore(shot: Shot): void {
    const { view, slot, settings } = this.state;
    const other = shot.settings.model !== settings?.model;
    if (view === "blend" && !other) {
      this.films.setEnd(slot, shot);
      this.address.write();
      return;
    }
    if (view === "explore" && !other) return this.explorer.step(shot);
    this.stop();
    if (other) this.leave(shot.settings.model);
    this.set({ settings: shot.settings, view: "one" });
    this.present(shot);
    this.address.write();
    if (other) void this.opening.open();
  }

  look(view: View): void {
    this.stop();
    this.set({ view, at: null });
    const { shot, settings } = this.state;
    if (view === "explore") this.explorer.centre();
    if (view === "blend") {
      const [to, from] = this.state.history.filter((one) => one.settings.model === settings?.model);
      const { ends } = this.state;
      this.set({ ends: { from: ends.from ?? from ?? null, to: ends.to ?? to ?? null } });
    }
    this.address.write();
    // What is shown is what the address and the settings say, also if they changed elsewhere.
    if (view === "one" || view === "explore") {
      if (shot && this.gallery.same(shot.settings, settings)) this.present(shot);
      else void this.draw(false);
    }
    if (this.sheet.seen) this.sheet.refresh();
  }

  openOne(shot: Shot, view: View = "one"): void {
    this.stop();
    this.set({ view, settings: shot.settings });
    this.gallery.collect(shot);
    this.present(shot);
    this.address.write();
  }

  stop(): void {
    this.own.stop();
    this.waiting = null;
    this.address.release();
    this.sheet.stop();
    this.explorer.stop();
    this.films.clear();
    this.set({ busy: this.drawing });
  }

  // ---- files -----------------------------------------------------------------------------------

  encode(format: Format, frames: Frames): Promise<Blob> {
    return this.engine.call("film", format, frames);
  }
}
