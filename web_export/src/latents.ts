// Latents as text that an address may hold: a byte a number, in steps of which nobody sees one.

import * as check from "./check";

const STEPS = 32;
const MOST = 127;

export function packed(latent: ArrayLike<number>): string {
  const bytes = Array.from(latent, (x) => Math.max(-MOST, Math.min(MOST, Math.round(x * STEPS))) & 255);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function unpacked(text: string): Float32Array<ArrayBuffer> {
  const bytes = check.base64(text.replaceAll("-", "+").replaceAll("_", "/"), "latent", 100_000);
  return Float32Array.from(new Int8Array(bytes.buffer), (x) => x / STEPS);
}
