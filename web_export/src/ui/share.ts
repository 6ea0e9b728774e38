// A picture to send to others: with its words, its seed and the address that draws it.

import { canvasOf, offer, pngOf } from "./files";

const SIDE = 1080;
const EDGE = 60;
const FONT = '"Hiragino Maru Gothic ProN", system-ui, "Noto Sans", "Noto Sans CJK JP", sans-serif';

export interface Card {
  image: ImageData;
  /** What the picture shows, and "Seed 7". */
  words: string;
  seed: string;
  address: string;
}

/** Text in as many lines as there is room for, the last of them cut off. */
function write(context: CanvasRenderingContext2D, text: string, y: number, size: number, lines = 1): void {
  context.font = `600 ${size}px ${FONT}`;
  const room = SIDE - 2 * EDGE;
  let rest = Array.from(text);
  for (let line = 0; line < lines && rest.length; line++) {
    let count = rest.length;
    const last = line === lines - 1;
    const shown = () => rest.slice(0, count).join("") + (last && count < rest.length ? "…" : "");
    while (count > 1 && context.measureText(shown()).width > room) count--;
    context.fillText(shown(), SIDE / 2, y + line * size * 1.25);
    rest = rest.slice(count);
  }
}

/** A PNG of 1080 x 1080. */
export function cardOf({ image, words, seed, address }: Card): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const ground = context.createLinearGradient(0, 0, SIDE, SIDE);
  ground.addColorStop(0, "#ffdcec");
  ground.addColorStop(1, "#dfe4ff");
  context.fillStyle = ground;
  context.fillRect(0, 0, SIDE, SIDE);
  const tall = 760;
  const scale = Math.min(tall / image.height, (SIDE - 2 * EDGE) / image.width);
  const [width, height] = [image.width * scale, image.height * scale];
  const left = (SIDE - width) / 2;
  context.save();
  context.beginPath();
  context.roundRect(left, EDGE, width, height, 48);
  context.clip();
  context.imageSmoothingQuality = "high";
  context.drawImage(canvasOf(image), left, EDGE, width, height);
  context.restore();
  context.textAlign = "center";
  context.fillStyle = "#33263d";
  write(context, seed, 900, 52);
  context.fillStyle = "#6d5d78";
  write(context, words, 956, 32);
  write(context, address, 1008, 24, 2);
  return pngOf(canvas);
}

/** What of an address people read: without what a browser adds. */
export function readable(address: string): string {
  try {
    return decodeURI(address).replace(/^https?:\/\//, "");
  } catch {
    return address;
  }
}

function asFile(blob: Blob, name: string): File {
  return new File([blob], name, { type: blob.type });
}

/** Whether the device can hand files on to other programs. */
export function canShare(): boolean {
  return Boolean(navigator.canShare?.({ files: [asFile(new Blob([], { type: "image/png" }), "face.png")] }));
}

/** Hands the card on, or saves it where that cannot be. */
export async function share(card: Card, name: string, url: string): Promise<void> {
  const blob = await cardOf(card);
  if (!canShare()) return offer(blob, name);
  try {
    await navigator.share({ files: [asFile(blob, name)], title: card.seed, url });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}
