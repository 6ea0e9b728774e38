// Animations as files: GIF by gifenc; WebP and animated PNG put together from the stills that the
// browser encodes (WebP container specification; PNG specification, third edition, 2025).

import { applyPalette, GIFEncoder, quantize } from "gifenc";
import type { Format } from "./formats";


export interface Frames {
  images: ImageData[];
  /** How long each frame stays. */
  milliseconds: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

function joined(parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) whole.set(part, (end += part.length) - part.length);
  return whole;
}

function ascii(text: string): Bytes {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** `count` bytes of each number, least significant first or, in PNG, last. */
function little(value: number, count: number): Bytes {
  return Uint8Array.from({ length: count }, (_, i) => (value >>> (8 * i)) & 255);
}

function big(value: number, count: number): Bytes {
  return little(value, count).reverse();
}

async function still(image: ImageData, type: string): Promise<Bytes> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  const blob = await canvas.convertToBlob({ type, quality: 0.92 });
  if (blob.type !== type) throw new Error(`this browser cannot write ${type}`);
  return new Uint8Array(await blob.arrayBuffer());
}

function gif({ images, milliseconds }: Frames): Bytes {
  const encoder = GIFEncoder();
  for (const { data, width, height } of images) {
    const palette = quantize(data, 256);
    encoder.writeFrame(applyPalette(data, palette), width, height, { palette, delay: milliseconds });
  }
  encoder.finish();
  return encoder.bytes();
}

// ---- WebP --------------------------------------------------------------------------------------

function riff(name: string, body: Uint8Array): Bytes {
  const padding = new Uint8Array(body.length % 2);
  return joined([ascii(name), little(body.length, 4), body, padding]);
}

/** The chunks of a still WebP that hold its picture. */
function webpPicture(file: Bytes): Bytes {
  const found: Bytes[] = [];
  const view = new DataView(file.buffer);
  for (let at = 12; at + 8 <= file.length; ) {
    const name = String.fromCharCode(...file.subarray(at, at + 4));
    const end = at + 8 + view.getUint32(at + 4, true);
    if (["ALPH", "VP8 ", "VP8L"].includes(name)) found.push(riff(name, file.subarray(at + 8, end)));
    at = end + (end % 2);
  }
  return joined(found);
}

async function webp({ images, milliseconds }: Frames): Promise<Bytes> {
  const [width, height] = [images[0].width - 1, images[0].height - 1];
  const animated = 2;
  const head = [little(animated, 4), little(width, 3), little(height, 3)];
  const chunks = [ascii("WEBP"), riff("VP8X", joined(head)), riff("ANIM", new Uint8Array(6))];
  for (const image of images) {
    const frame = [little(0, 6), little(width, 3), little(height, 3), little(milliseconds, 3)];
    const overwrite = little(2, 1);
    const picture = webpPicture(await still(image, "image/webp"));
    chunks.push(riff("ANMF", joined([...frame, overwrite, picture])));
  }
  return riff("RIFF", joined(chunks));
}

// ---- animated PNG ------------------------------------------------------------------------------

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc(bytes: Uint8Array): number {
  return ~bytes.reduce((c, byte) => CRC[(c ^ byte) & 255] ^ (c >>> 8), -1) >>> 0;
}

function pngChunk(name: string, ...body: Uint8Array[]): Bytes {
  const named = joined([ascii(name), ...body]);
  return joined([big(named.length - 4, 4), named, big(crc(named), 4)]);
}

function pngChunks(file: Bytes): { name: string; body: Bytes }[] {
  const found = [];
  const view = new DataView(file.buffer);
  for (let at = 8; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    found.push({ name, body: file.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return found;
}

async function png({ images, milliseconds }: Frames): Promise<Bytes> {
  const parts = [Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)];
  let sequence = 0;
  for (const [i, image] of images.entries()) {
    const chunks = pngChunks(await still(image, "image/png"));
    if (i === 0) {
      const header = chunks.find((chunk) => chunk.name === "IHDR");
      if (header) parts.push(pngChunk("IHDR", header.body));
      parts.push(pngChunk("acTL", big(images.length, 4), big(0, 4)));
    }
    const size = [big(image.width, 4), big(image.height, 4), big(0, 8)];
    const delay = [big(milliseconds, 2), big(1000, 2), big(0, 2)];
    parts.push(pngChunk("fcTL", big(sequence++, 4), ...size, ...delay));
    for (const { name, body } of chunks) {
      if (name !== "IDAT") continue;
      parts.push(i ? pngChunk("fdAT", big(sequence++, 4), body) : pngChunk("IDAT", body));
    }
  }
  parts.push(pngChunk("IEND"));
  return joined(parts);
}

export async function encode(format: Format, frames: Frames): Promise<Blob> {
  const encoders = { gif, webp, png };
  return new Blob([await encoders[format](frames)], { type: `image/${format}` });
}
