// Where an image is calm: little changes there, so that type can be read on it. After
// tfanime/posters/calm.py.

import { grey, type Pixels, type Plane, plane } from "./raster";

/** Left, top, right, bottom. */
export type Box = [number, number, number, number];

/** How much brightness changes at each pixel: the length of its gradient. */
export function energy(image: Pixels): Plane {
  const { data, width, height } = grey(image);
  const found = plane(width, height);
  const slope = (at: number, place: number, most: number, step: number) => {
    const [before, after] = [place > 0 ? step : 0, place < most - 1 ? step : 0];
    return (data[at + after] - data[at - before]) / ((before + after) / step || 1);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      found.data[at] = Math.hypot(slope(at, y, height, width), slope(at, x, width, 1));
    }
  }
  return found;
}

export function mean({ data, width }: Plane, [left, top, right, bottom]: Box): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += data[y * width + x];
  return sum / Math.max(1, (bottom - top) * (right - left));
}

/** The box of this size with the least energy within another; of several, the first from the top left. */
export function calmest(cost: Plane, height: number, width: number, [left, top, right, bottom]: Box): Box {
  const across = right - left + 1;
  const sums = new Float64Array(across * (bottom - top + 1));
  for (let y = 1; y <= bottom - top; y++) {
    for (let x = 1, row = 0; x < across; x++) {
      row += cost.data[(top + y - 1) * cost.width + left + x - 1];
      sums[y * across + x] = sums[(y - 1) * across + x] + row;
    }
  }
  let best: Box = [left, top, left + width, top + height];
  let least = Infinity;
  for (let y = 0; y + height <= bottom - top; y++) {
    for (let x = 0; x + width < across; x++) {
      const at = y * across + x;
      const below = at + height * across;
      const inside = sums[below + width] - sums[at + width] - sums[below] + sums[at];
      // Sums of sums differ in their last digits where the energy is the same.
      if (inside < least - 1e-6) {
        least = inside;
        best = [left + x, top + y, left + x + width, top + y + height];
      }
    }
  }
  return best;
}
