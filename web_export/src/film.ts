// Pictures that play: a transition between two, and one that moves a little and comes back.

import type { Format } from "./formats";
import { lerp, slerp } from "./latent.js";
import { loopOf } from "./moves";
import { eachStyle, type Inputs, type Request } from "./request";
import { freshSeed, ONE, type Scene, toRequest } from "./settings";
import { reason, type Shot, type Slot, type Still } from "./state";
import type { Studio } from "./studio";

export const MILLISECONDS = 60; // a frame
export const LOOP = 24; // frames

export class Films {
  private run = 0;
  /** What an address joins, until it is drawn. */
  asked: Scene["ends"] = ONE.ends;

  constructor(private readonly studio: Studio) {}

  clear(): void {
    this.run++;
    this.studio.set({ film: [], enlarged: 0, filming: null });
  }

  /** Frame i of n lies i / (n - 1) of the way: the first and the last are the two pictures. */
  async blend(): Promise<void> {
    const { studio } = this;
    if (!studio.state.settings || studio.state.phase !== "ready") return;
    await this.make(async (run) => {
      const ends = await this.ends(run);
      if (!ends) return [];
      const [from, to] = ends;
      const { frames, path } = studio.state;
      const way = path === "slerp" ? slerp : lerp;
      const between = (a: Inputs, b: Inputs, t: number): Request => ({
        latent: way(a.latent, b.latent, t),
        labels: a.labels && b.labels && lerp(a.labels, b.labels, t),
        styles: eachStyle({ ...a.styles, ...b.styles }, (_, group) =>
          between({ ...a, ...a.styles[group], styles: {} }, { ...b, ...b.styles[group], styles: {} }, t),
        ),
      });
      return Array.from({ length: frames }, (_, i) => between(from, to, i / (frames - 1)));
    });
  }

  /** The picture moves a little, and ends where it began. */
  async loop(): Promise<void> {
    const { state, model } = this.studio;
    const { shot } = state;
    if (!shot || !model || state.phase !== "ready") return;
    await this.make(async () =>
      Array.from({ length: LOOP }, (_, i) => toRequest(loopOf(shot.settings, i, LOOP), model.fields, model.rows)),
    );
  }

  private async make(requests: (run: number) => Promise<Request[]>): Promise<void> {
    const { studio } = this;
    const run = ++this.run;
    studio.set({ film: [], enlarged: 0, filming: "drawing" });
    try {
      for (const request of await requests(run)) {
        const { image, latent, labels, styles } = await studio.shoot(request);
        if (run !== this.run) return;
        studio.set({ film: [...studio.state.film, { image, latent, labels, styles }] });
      }
      await this.enlarge(run);
    } catch (error) {
      if (run === this.run) studio.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      if (run === this.run) studio.set({ filming: null });
    }
  }

  private async enlarge(run: number): Promise<void> {
    const { studio } = this;
    if (!studio.enlarging || run !== this.run) return;
    studio.set({ filming: "enlarging" });
    for (const [i, still] of studio.state.film.entries()) {
      const image = await studio.enlarged(still);
      if (run !== this.run) return;
      const film = studio.state.film.map((one, j): Still => (j === i ? { ...one, image } : one));
      studio.set({ film, enlarged: i + 1 });
    }
  }

  /** The two pictures of a transition: those that are chosen, and where none is, one by chance. */
  async ends(run = this.run): Promise<[Shot, Shot] | null> {
    const { studio } = this;
    const { asked } = this;
    this.asked = ONE.ends;
    for (const slot of ["from", "to"] as const) {
      const { ends, settings } = studio.state;
      if (ends[slot] || !settings) continue;
      const chance = () => studio.choosing.first({ ...settings, seed: freshSeed(), index: 0, latent: null });
      const shot = await studio.shootSettings(asked[slot] ?? (await chance()));
      if (run !== this.run) return null;
      studio.set({ ends: { ...studio.state.ends, [slot]: shot } });
      studio.gallery.collect(shot);
    }
    studio.address.write();
    const { from, to } = studio.state.ends;
    return from && to && [from, to];
  }

  setEnd(slot: Slot, shot: Shot): void {
    this.clear();
    const { ends } = this.studio.state;
    this.studio.set({ ends: { ...ends, [slot]: shot }, slot: slot === "from" ? "to" : "from", at: null });
  }

  /** Another two, by chance. */
  shuffle(): void {
    this.studio.set({ ends: { from: null, to: null }, at: null });
    void this.blend();
  }

  encode(format: Format): Promise<Blob> {
    const images = this.studio.state.film.map(({ image }) => image);
    return this.studio.encode(format, { images, milliseconds: MILLISECONDS });
  }
}
