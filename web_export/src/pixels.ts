// Pictures: float32 in [-1, 1] as networks draw them, RGBA as screens show them.

/** Largest minus smallest colour below which a picture counts as empty: one step of 8 bits. */
const FLAT = 2 / 255;

export function toImageData(pixels: Float32Array, height: number, width: number): ImageData {
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = Math.round((Math.fround(pixels[3 * i + c]) + 1) * 127.5);
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Why `pixels` is no picture at all, or null if it is one. */
export function emptiness(pixels: Float32Array): string | null {
  let [low, high] = [Infinity, -Infinity];
  for (const x of pixels) {
    if (!Number.isFinite(x)) return "it draws numbers that are not finite";
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  return high - low < FLAT ? "it draws a single colour" : null;
}

/** Why `pixels` is not the picture that was stored, or null if it is. */
export function difference(
  pixels: Float32Array,
  stored: Uint8Array,
  tolerance: number,
): string | null {
  if (pixels.length !== stored.length) return "it draws a picture of another size";
  const empty = emptiness(pixels);
  if (empty) return empty;
  const sum = pixels.reduce((total, x, i) => total + Math.abs(x - (stored[i] / 127.5 - 1)), 0);
  const mean = sum / pixels.length;
  return mean > tolerance ? `it draws another picture (${mean.toFixed(3)} off)` : null;
}
