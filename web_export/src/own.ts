// A visitor's own picture: the face that the model would draw nearest to it. It is read here, cut to a
// square and encoded in the worker; nothing of it leaves the page or is kept.

import { packed } from "./latents";
import { PLAIN } from "./settings";
import { reason } from "./state";
import type { Studio } from "./studio";

/** The largest part of a picture that has this shape: in the middle, and of a high one from the top, where
 * heads are. */
export async function cut(file: Blob, width: number, height: number): Promise<ImageData> {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(bitmap.width / width, bitmap.height / height);
  const [wide, high] = [width * scale, height * scale];
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser gives no canvas");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (bitmap.width - wide) / 2, 0, wide, high, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

export class Own {
  constructor(private readonly studio: Studio) {}

  /** Whether the model can tell what a picture would be drawn from. */
  get possible(): boolean {
    return Boolean(this.studio.model?.encoder);
  }

  /** Goes to the face that is nearest to a picture. */
  async open(file: Blob): Promise<void> {
    const { studio } = this;
    const { model } = studio;
    if (!model?.encoder || studio.state.phase !== "ready") return;
    studio.stop();
    studio.set({ busy: true });
    try {
      const image = await cut(file, model.width, model.height).catch(() => {
        throw new Error("It is no picture that this browser reads.");
      });
      const { latent, tags } = await studio.engine.call("encode", image);
      if (studio.model !== model) return; // another was chosen meanwhile
      if (studio.state.view !== "one") studio.look("one");
      studio.change({ ...PLAIN, latent: packed(latent), tags });
      studio.tell("nearest");
    } catch (error) {
      studio.set({ busy: false });
      studio.tell("pictureFailed", { reason: reason(error) }, true);
    }
  }
}
