// Many pictures of one seed.

import { DRAFTS } from "./poster/words";
import { reason } from "./state";
import type { Studio } from "./studio";

const MORE = 12; // at a time, where there is no end

export class Sheet {
  private run = 0; // so that an older one ends

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
    this.studio.address.replace(); // a slider that moves
    this.studio.set({ count, endless });
    void this.draw(true);
  }

  /** The seed's pictures in turn, as far as they are whole. `more`: keeps those that are there. */
  async draw(more = false): Promise<void> {
    const { studio } = this;
    const run = ++this.run;
    const { settings, many, phase, view } = studio.state;
    const { endless, count } = view === "poster" ? { endless: false, count: DRAFTS } : studio.state;
    if (phase !== "ready" || !settings) return;
    const there = more ? many : [];
    const goal = endless ? there.length + MORE : count;
    studio.set({ many: there.slice(0, goal), busy: true });
    studio.address.write();
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
