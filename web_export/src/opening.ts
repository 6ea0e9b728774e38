// Which model is open: it is fetched, started, and may be left before it is there.

import { LARGE_DOWNLOAD, metered } from "./connection";
import { filesOf, type Model } from "./manifest";
import { prepareOffline } from "./offline";
import { reason } from "./state";
import type { Studio } from "./studio";
import type { News } from "./worker";

export class Opening {
  /** Counts openings, so that one that was overtaken changes nothing. */
  run = 0;

  constructor(private readonly studio: Studio) {}

  hear(news: News): void {
    const { studio } = this;
    if (news.opening !== this.run) return;
    if (news.event === "progress") {
      const { loaded, total } = news;
      const { phase } = studio.state;
      // Files that arrive after one of them has failed change nothing.
      if (phase !== "loading" && phase !== "starting") return;
      studio.set({ phase: loaded === total ? "starting" : "loading", loaded, total });
    } else if (news.event === "unchosen") {
      studio.tell("unchosen", { reason: news.reason }, true);
    } else {
      studio.tell("fallback", { backend: news.backend, reason: news.reason }, true);
    }
  }

  /** Opens the chosen model. `agreed`: whatever its size. */
  async open(agreed = false): Promise<void> {
    const { studio } = this;
    const { engine, folder, model } = studio;
    const { settings, manifest, choice } = studio.state;
    if (!settings || !manifest || !model) return studio.start();
    const run = ++this.run;
    studio.set({ phase: "loading", loaded: 0, total: 0, backend: null, failure: "" });
    studio.stop();
    try {
      if (!agreed && metered()) {
        const missing = await this.missing(model);
        if (run !== this.run) return;
        if (missing > LARGE_DOWNLOAD) {
          studio.set({ phase: "asking", total: missing });
          return;
        }
      }
      const opened = await engine.call("open", folder.href, manifest, model.name, choice, run);
      if (run !== this.run) return;
      studio.set({ phase: "ready", ...opened });
    } catch (error) {
      if (run === this.run) studio.set({ phase: "failed", failure: reason(error) });
      return;
    }
    await studio.drawView();
    await studio.settle();
    if (choice === "auto" && run === this.run) {
      const opened = await engine.call("chooseFastest");
      if (run === this.run) studio.set(opened);
    }
    await prepareOffline(studio, model);
  }

  /** Bytes that drawing with a model would still download. */
  missing(model: Model): Promise<number> {
    const { engine, enlarging, folder } = this.studio;
    return engine.call("missing", folder.href, filesOf(model, enlarging));
  }
}
