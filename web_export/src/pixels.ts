// Pictures: float32 in [-1, 1] as networks draw them, RGBA as screens show them.

/** Largest minus smallest colour below which a picture counts as empty: one step of 8 bits. */
const FLAT = 2 / 255;

export function toImageData(pixels: Float32Array, height: number, width: number): ImageData {
  const image = new ImageData(width, height);
  const { data } = image; // asked for once: it is a property of the browser's, and slow
  for (let from = 0, to = 0; to < data.length; from += 3, to += 4) {
    data[to] = Math.round((pixels[from] + 1) * 127.5);
    data[to + 1] = Math.round((pixels[from + 1] + 1) * 127.5);
    data[to + 2] = Math.round((pixels[from + 2] + 1) * 127.5);
    data[to + 3] = 255;
  }
  return image;
}

/** What a network is given of a picture; what shines through is white. */
export function fromImageData({ data }: ImageData): Float32Array<ArrayBuffer> {
  const pixels = new Float32Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const solid = data[from + 3] / 255;
    for (let c = 0; c < 3; c++) pixels[to + c] = (solid * (data[from + c] - 255) + 255) / 127.5 - 1;
  }
  return pixels;
}

/** Why `pixels` is no picture at all, or null if it is one. */
export function emptiness(pixels: Float32Array): string | null {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < pixels.length; i++) {
    const x = pixels[i];
    if (!Number.isFinite(x)) return "it draws numbers that are not finite";
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return high - low < FLAT ? "it draws a single colour" : null;
}

// Mean difference, of colours from -1 to 1, above which a picture is another one: new detail
// changes a reduction by a few hundredths.
const OTHER = 0.15;

/** Why `large` is no enlargement of `small`, both `(height, width, 3)`, or null if it is one. */
export function misfit(
  large: Float32Array,
  small: Float32Array,
  height: number,
  width: number,
  factor: number,
): string | null {
  if (large.length !== small.length * factor ** 2) return "it draws a picture of another size";
  const empty = emptiness(large);
  if (empty) return empty;
  const reduced = new Float32Array(small.length);
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const to = 3 * (Math.floor(y / factor) * width + Math.floor(x / factor));
      const from = 3 * (y * width * factor + x);
      for (let c = 0; c < 3; c++) reduced[to + c] += large[from + c] / factor ** 2;
    }
  }
  const mean = reduced.reduce((sum, x, i) => sum + Math.abs(x - small[i]), 0) / small.length;
  return mean > OTHER ? `it draws another picture (${mean.toFixed(3)} off)` : null;
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
