// The next visit may have no network.

import type { Model } from "./manifest";
import type { Studio } from "./studio";

/** Keeps what the page and its model need, and says whether all of it is there. */
export async function prepareOffline(studio: Studio, model: Model): Promise<void> {
  const { serviceWorker } = navigator;
  if (!import.meta.env.PROD || !serviceWorker) return;
  try {
    await serviceWorker.register("sw.js");
    await serviceWorker.ready;
    const { poster, upscaler } = model; // which shows the posters' drafts
    const more = poster ? [...poster.files, ...(upscaler?.files ?? [])] : [];
    if (more.length) await studio.engine.call("keep", studio.folder.href, more);
    studio.set({ offline: (await studio.opening.missing(model)) === 0 });
  } catch {
    studio.set({ offline: false }); // private windows forbid it; all else works
  }
}
