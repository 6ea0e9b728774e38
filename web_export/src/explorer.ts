// The neighbourhood of a picture: eight round it, and all between them.

import { pointOf } from "./moves";
import { MOST_RINGS, type Settings } from "./settings";
import { type Explore, reason, type Shot } from "./state";
import type { Studio } from "./studio";

/** The eight places round the middle, from the top left. */
export const AROUND = [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => [x, y])).filter(([x, y]) => x || y);

export class Explorer {
  private run = 0;
  private drawn = ""; // which eight are there

  constructor(private readonly studio: Studio) {}

  private set(change: Partial<Explore>): void {
    this.studio.set({ explore: { ...this.studio.state.explore, ...change } });
  }

  stop(): void {
    this.run++;
  }

  /** Ends the eight, which were drawn by another model. */
  clear(): void {
    this.drawn = "";
    this.set({ around: [] });
  }

  /** Puts the picture of the settings into the middle. */
  centre(): void {
    this.set({ origin: this.studio.state.settings, x: 0, y: 0 });
  }

  /** Draws the eight, unless they are there. */
  async draw(): Promise<void> {
    const { studio } = this;
    const { explore, phase, view } = studio.state;
    const { origin, ring, spread } = explore;
    const wanted = JSON.stringify([origin, ring, spread]);
    if (view !== "explore" || phase !== "ready" || !origin || wanted === this.drawn) return;
    const run = ++this.run;
    try {
      const around: Shot[] = [];
      for (const [i, [x, y]] of AROUND.entries()) {
        const shot = await studio.shootSettings(pointOf(origin, ring, spread, x, y));
        if (run !== this.run) return;
        around.push(shot);
        // Those of the ring before stay until theirs comes.
        this.set({ around: [...around, ...studio.state.explore.around.slice(i + 1)] });
      }
      this.drawn = wanted;
    } catch (error) {
      studio.tell("drawFailed", { reason: reason(error) }, true);
    }
  }

  /** Goes to a point of the map, while the ring stays. */
  move(x: number, y: number): void {
    const { origin, ring, spread } = this.studio.state.explore;
    if (!origin) return;
    let settings: Settings;
    try {
      settings = pointOf(origin, ring, spread, x, y);
    } catch (error) {
      this.studio.tell("drawFailed", { reason: reason(error) }, true);
      return;
    }
    this.set({ x, y });
    this.studio.drawAs(settings);
  }

  /** Goes on from the picture in the middle. */
  settle(): void {
    this.centre();
    void this.draw();
  }

  /** Goes to one of the eight, and on from there. */
  step(shot: Shot): void {
    this.studio.openOne(shot, "explore");
    this.settle();
  }

  another(change: Partial<Pick<Explore, "ring" | "spread">>): void {
    this.set(change);
    this.settle();
    if (change.spread) this.studio.address.replace(); // a slider that moves
    this.studio.address.write();
  }

  next(): void {
    this.another({ ring: (this.studio.state.explore.ring + 1) % MOST_RINGS });
  }
}
