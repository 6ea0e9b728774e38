// Many pictures of one seed.

import { DRAFTS } from "./poster/words";
import type { Settings } from "./settings";
import { reason } from "./state";
import type { Studio } from "./studio";

const MORE = 12; // at a time, where there is no end

export class Sheet {
  private run = 0; // so that an older one ends
  private filling: Promise<void> = Promise.resolve();

  constructor(private readonly studio: Studio) {}

  /** Whether the view shows many pictures: for a poster they are its drafts. */
  get seen(): boolean {
    const { view } = this.studio.state;
    return view === "many" || view === "poster";
  }

  stop(): void {
    this.run++;
  }

  /** Draws them, unless those of these settings are there. */
  refresh(): void {
    const { settings, many, view, endless, count } = this.studio.state;
    const first = many[0]?.settings;
    const same = first && settings && this.studio.gallery.same(first, { ...settings, index: first.index, latent: null });
    if (!same) void this.draw();
    else if (many.length !== (view === "poster" ? DRAFTS : endless ? many.length : count)) void this.draw(true);
  }

  /** Ends what is being drawn, and that there is no end. */
  halt(): void {
    this.run++;
    this.studio.set({ busy: false, endless: false });
  }

  change(count: number, endless: boolean): void {
    this.studio.set({ count, endless });
    this.studio.address.replace(); // a slider that moves
    this.studio.address.write();
    void this.draw(true);
  }

  /** The seed's pictures in turn, as far as they are whole. `more`: keeps those that are there. `draft`: a
   * slider may move on. */
  async draw(more = false, draft = false): Promise<void> {
    const { studio } = this;
    const run = ++this.run;
    const { settings, many, phase, view } = studio.state;
    const { endless, count } = view === "poster" ? { endless: false, count: DRAFTS } : studio.state;
    if (phase !== "ready" || !settings) return;
    const there = more ? many : [];
    const goal = endless ? there.length + MORE : count;
    studio.set({ many: there.slice(0, goal), busy: true });
    if (!more) {
      studio.address.drawn(draft);
      studio.later(draft);
    }
    await this.filling; // it ends with the picture that is being drawn; what is overtaken meanwhile is not begun
    if (run !== this.run) return;
    this.filling = this.fill(settings, goal, run);
    await this.filling;
  }

  private async fill(settings: Settings, goal: number, run: number): Promise<void> {
    const { studio } = this;
    try {
      while (studio.state.many.length < goal && run === this.run) {
        const last = studio.state.many.at(-1)?.settings.index ?? -1;
        const next = { ...settings, index: last + 1, latent: null };
        const shot = await studio.shootSettings(await studio.choosing.first(next));
        if (run !== this.run) return;
        studio.set({ many: [...studio.state.many, shot] });
      }
    } catch (error) {
      if (run === this.run) studio.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      if (run === this.run) studio.set({ busy: false });
    }
  }
}
