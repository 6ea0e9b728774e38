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
  private run = 0; // so that what is overtaken ends

  constructor(private readonly studio: Studio) {}

  /** Whether the model can tell what a picture would be drawn from. */
  get possible(): boolean {
    return Boolean(this.studio.model?.encoder);
  }

  /** Ends what is being read: something else is wished for. */
  stop(): void {
    this.run++;
  }

  /** Goes to the face that is nearest to a picture. */
  async open(file: Blob): Promise<void> {
    const { studio } = this;
    const { folder, engine, model } = studio;
    const { phase } = studio.state;
    if (!model?.encoder) return;
    const run = ++this.run;
    try {
      if (phase !== "ready") throw new Error("The model is not there yet.");
      studio.set({ busy: true });
      const image = await cut(file, model.width, model.height).catch(() => {
        throw new Error("It is no picture that this browser reads.");
      });
      await engine.call("keep", folder.href, model.encoder.files); // while others are drawn
      if (run !== this.run) return;
      const { latent, tags } = await engine.call("encode", image);
      if (run !== this.run) return;
      studio.change({ ...PLAIN, latent: packed(latent), tags });
      studio.tell("nearest");
    } catch (error) {
      if (run !== this.run) return;
      studio.set({ busy: studio.drawing });
      studio.tell("pictureFailed", { reason: reason(error) }, true);
    }
  }
}
