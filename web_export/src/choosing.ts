// Which of a seed's pictures the page shows: the whole ones, where its model can tell. A picture that
// has been shown keeps its index, whatever is changed about it.

import type { Settings } from "./settings";
import type { Studio } from "./studio";

export class Choosing {
  /** A seed that chance has picked, and of which no picture has been shown yet. */
  fresh: number | null = null;

  constructor(private readonly studio: Studio) {}

  /** The first whole picture at or after the settings' index. */
  async find({ model, seed, index, tags, truncation }: Settings): Promise<number> {
    if (!this.studio.modelOf(model)?.chooser) return index;
    return this.studio.engine.call("choose", { seed, index, tags, truncation });
  }

  async first(settings: Settings): Promise<Settings> {
    return { ...settings, index: await this.find(settings) };
  }

  /** One of a seed's pictures is shown. */
  shown({ seed }: Settings): void {
    if (seed === this.fresh) this.fresh = null;
  }

  /** Goes to the first whole picture of a seed that chance has picked. */
  async settle(): Promise<void> {
    const { studio } = this;
    const { settings } = studio.state;
    if (!settings || settings.seed !== this.fresh || settings.index || settings.latent !== null) return;
    const index = await this.find(settings);
    const now = studio.state.settings; // attributes may have changed meanwhile, or all
    if (now?.seed !== this.fresh || now.index || now.latent !== null) return;
    this.fresh = null;
    if (index) studio.set({ settings: { ...now, index } });
    if (studio.state.view === "explore") studio.explorer.centre();
  }
}
