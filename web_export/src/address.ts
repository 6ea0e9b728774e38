// The page's address and its settings file: both say what is drawn, and are followed when they change.

import { fromHash, fromJson, type Scene, sceneOf, type Settings, toHash, toJson } from "./settings";
import { reason, sceneOfState } from "./state";
import type { Studio } from "./studio";

export class Address {
  private replacing = true; // the next address is no step of its own to go back to
  private drafting = false; // what is drawn comes from a slider that may move on
  private rested = false; // and has an address of its own, which the next takes over

  constructor(private readonly studio: Studio) {
    addEventListener("hashchange", () => this.follow());
  }

  /** What the address asks for; a bad one gets a sentence and is ignored. */
  asked(): { settings: Settings; scene: Scene } | null {
    const { manifest } = this.studio.state;
    if (!manifest) return null;
    try {
      const settings = fromHash(location.hash, manifest);
      const model = manifest.models.find(({ name }) => name === settings?.model);
      if (!settings || !model) return null;
      const scene = sceneOf(location.hash, manifest, model);
      if (!/[#&](seed|name|index)=/.test(location.hash)) this.studio.choosing.fresh = settings.seed;
      return { settings, scene };
    } catch (error) {
      this.studio.tell("addressFailed", { reason: reason(error) }, true);
      return null;
    }
  }

  /** Turns to what an address shows. */
  show({ view, count, frames, path, ends, at, locks, ring, spread, poster }: Scene): void {
    const { studio } = this;
    studio.films.clear();
    studio.films.asked = ends;
    const explore = { ...studio.state.explore, ring, spread };
    const none = { from: null, to: null };
    const mixed = ends.from && ends.to ? at : null;
    studio.set({ view, count, frames, path, explore, at: mixed, locks, ...(view === "blend" ? { ends: none } : {}) });
    if (view === "poster") studio.set({ poster });
  }

  private follow(): void {
    const { studio } = this;
    const { settings, manifest } = studio.state;
    if (!settings || !manifest || location.hash === this.hash()) return;
    const asked = this.asked();
    if (!asked) return;
    studio.stop();
    this.replacing = true;
    const wanted = { ...asked.settings, keepSeed: settings.keepSeed };
    const known = studio.gallery.find(wanted);
    if (asked.scene.view === "one" && known && wanted.model === settings.model) {
      this.replacing = false;
      this.show(asked.scene);
      studio.set({ settings: wanted });
      studio.present(known);
    } else studio.use(wanted, asked.scene);
  }

  private hash(): string {
    const { settings, manifest } = this.studio.state;
    if (!settings || !manifest) return "";
    const first = this.studio.sheet.seen ? { ...settings, index: 0, latent: null } : settings;
    return toHash(first, manifest, sceneOfState(this.studio.state));
  }

  /** The next address takes the place of this one, as those of a slider that moves. */
  replace(): void {
    this.replacing = true;
  }

  /** Each picture and each view is a step to go back to. */
  write(): void {
    const hash = this.hash();
    try {
      if (hash !== location.hash) {
        if (this.replacing) history.replaceState(null, "", hash);
        else history.pushState(null, "", hash);
      }
    } catch {
      return; // browsers count how often an address changes, and some refuse it then: the next one says all
    }
    this.replacing = false;
  }

  /** Something else is drawn. All that comes of a slider that may move on (`draft`) has one address, which is
   * written when the slider rests. Returns whether it has moved on. */
  drawn(draft: boolean): boolean {
    const moved = this.drafting && draft;
    this.drafting = draft;
    this.rested &&= moved;
    if (!draft) this.write();
    return moved;
  }

  /** Nothing has moved for a while. */
  rest(): void {
    if (!this.drafting) return;
    if (this.rested) this.replace();
    this.write();
    this.rested = true;
  }

  /** What a slider does next is a step of its own. */
  release(): void {
    this.drafting = false;
  }

  // ---- the settings file -----------------------------------------------------------------------

  file(): Blob {
    const { settings } = this.studio.state;
    return new Blob([settings ? toJson(settings) : ""], { type: "application/json" });
  }

  async read(file: File): Promise<void> {
    const { studio } = this;
    const { manifest } = studio.state;
    if (!manifest) return;
    try {
      if (file.size > 1_000_000) throw new Error("The file is longer than a megabyte.");
      const settings = fromJson(await file.text(), manifest);
      studio.tell("imported");
      studio.look("one");
      studio.use(settings);
    } catch (error) {
      studio.tell("importFailed", { reason: reason(error) }, true);
    }
  }
}
