// A figure cut out of its white ground. After tfanime/posters/cutout.py, which explains it.

import { boxed, grey, type Pixels } from "./raster";

const WHITE = 0.93; // the least channel from which a pixel may be ground
const LEAK = 1 / 64; // of the height: a gap of twice that in an outline lets no ground through
const EDGE = 3; // pixels beside the ground that may be part ground

/** Where something is, of a square or oblong image. */
interface Mask {
  data: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}

function mask(width: number, height: number): Mask {
  return { data: new Uint8Array(width * height), width, height };
}

/** The figure of an image with a white ground, with soft edges. */
export function cutOut(image: Pixels): Pixels {
  const { data, width, height } = image;
  const least = Float32Array.from({ length: width * height }, (_, i) =>
    Math.min(data[4 * i], data[4 * i + 1], data[4 * i + 2]) / 255,
  );
  const white = { data: Uint8Array.from(least, (x) => Number(x >= WHITE)), width, height };
  const ground = not(largest(not(reached(white))));
  const wide = grown(ground, EDGE);
  const beside = grown(not(ground), 1);
  const full = smallest(least, ground, EDGE);
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < least.length; i++) {
    const share = Math.max(0, Math.min(1, (1 - least[i]) / Math.max(1 - full[i], 1e-3)));
    let alpha = ground.data[i] ? 0 : wide.data[i] ? share : 1;
    // Ground that is not quite white belongs, for its part, to the figure beside it.
    if (ground.data[i] && beside.data[i]) alpha = share;
    const solid = Math.max(alpha, 1 / 255);
    for (let c = 0; c < 3; c++) {
      out[4 * i + c] = alpha > 0 ? (data[4 * i + c] - (1 - alpha) * 255) / solid : 255;
    }
    out[4 * i + 3] = 255 * alpha;
  }
  return { data: out, width, height };
}

/** The white pixels that are joined to the border by a way wider than a leak. */
function reached(white: Mask): Mask {
  const leak = Math.max(1, Math.round(LEAK * white.height));
  const edge = leak + 1;
  const framed = mask(white.width + 2 * edge, white.height + 2 * edge);
  framed.data.fill(1);
  for (let y = 0; y < white.height; y++) {
    framed.data.set(white.data.subarray(y * white.width, (y + 1) * white.width), (y + edge) * framed.width + edge);
  }
  const wide = not(grown(not(framed), leak));
  const border = mask(framed.width, framed.height);
  border.data.forEach((_, i) => {
    const [x, y] = [i % framed.width, Math.trunc(i / framed.width)];
    const outside = !x || !y || x === framed.width - 1 || y === framed.height - 1;
    border.data[i] = Number(outside && wide.data[i]);
  });
  // What was narrowed is given back, as far as it is white; and a little of the ways that are
  // too narrow, so that no square corners of white stay at an outline.
  const given = spread(and(grown(spread(border, wide), leak), framed), framed, 3 * leak);
  const found = mask(white.width, white.height);
  for (let y = 0; y < white.height; y++) {
    const from = (y + edge) * framed.width + edge;
    found.data.set(given.data.subarray(from, from + white.width), y * white.width);
  }
  return found;
}

const not = ({ data, width, height }: Mask): Mask => ({ data: data.map((x) => 1 - x), width, height });
const and = (one: Mask, other: Mask): Mask => ({ ...one, data: one.data.map((x, i) => x & other.data[i]) });

/** All of `where` that is joined to `start` by its sides, in so many steps at most. */
function spread(start: Mask, where: Mask, steps = Infinity): Mask {
  const { width, height } = start;
  const found = { ...start, data: start.data.slice() };
  let front = Array.from(found.data.keys()).filter((i) => found.data[i]);
  for (let step = 0; front.length && step < steps; step++) {
    const next: number[] = [];
    const visit = (at: number) => {
      if (found.data[at] || !where.data[at]) return;
      found.data[at] = 1;
      next.push(at);
    };
    for (const at of front) {
      const x = at % width;
      if (x) visit(at - 1);
      if (x < width - 1) visit(at + 1);
      if (at >= width) visit(at - width);
      if (at < width * (height - 1)) visit(at + width);
    }
    front = next;
  }
  return found;
}

/** The largest part of a mask that hangs together; scraps beside it are none of the figure. */
function largest(all: Mask): Mask {
  let [best, size] = [mask(all.width, all.height), 0];
  const left = { ...all, data: all.data.slice() };
  for (let at = left.data.indexOf(1); at >= 0; at = left.data.indexOf(1, at)) {
    const start = mask(all.width, all.height);
    start.data[at] = 1;
    const part = spread(start, left);
    let count = 0;
    part.data.forEach((x, i) => {
      count += x;
      if (x) left.data[i] = 0;
    });
    if (count > size) [best, size] = [part, count];
  }
  return best;
}

/** A mask and all pixels at most `by` from it, diagonals included. */
function grown({ data, width, height }: Mask, by: number): Mask {
  const across = mask(width, height);
  const found = mask(width, height);
  for (let i = 0; i < data.length; i++) {
    if (!data[i]) continue;
    const x = i % width;
    across.data.fill(1, i - Math.min(by, x), i + 1 + Math.min(by, width - 1 - x));
  }
  for (let i = 0; i < data.length; i++) {
    if (!across.data[i]) continue;
    for (let d = -by; d <= by; d++) {
      const at = i + d * width;
      if (at >= 0 && at < data.length) found.data[at] = 1;
    }
  }
  return found;
}

/** The least value around each that is no ground. */
function smallest(values: Float32Array, ground: Mask, by: number): Float32Array {
  const { width, height } = ground;
  return values.map((_, i) => {
    const [x, y] = [i % width, Math.trunc(i / width)];
    let least = 1;
    for (let yy = Math.max(0, y - by); yy <= Math.min(height - 1, y + by); yy++) {
      for (let xx = Math.max(0, x - by); xx <= Math.min(width - 1, x + by); xx++) {
        const at = yy * width + xx;
        if (!ground.data[at]) least = Math.min(least, values[at]);
      }
    }
    return least;
  });
}

// ---- which of several --------------------------------------------------------------------------

/** The share of the upper border that a figure touches. */
export function cutAt({ data, width }: Pixels): number {
  let count = 0;
  for (let x = 0; x < width; x++) count += Number(data[4 * x + 3] > 127);
  return count / width;
}

/** What speaks against a figure, 0 (nothing) upwards: that its image cuts it off, gaps in it, and
 * halves that are not alike. */
export function faults(figure: Pixels): number {
  const { data, width, height } = figure;
  const solid = (x: number, y: number) => data[4 * (y * width + x) + 3] > 127;
  let [sides, gaps, begun] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    sides += (Number(solid(0, y)) + Number(solid(width - 1, y))) / (2 * height);
    if (y >= Math.round(0.7 * height)) continue;
    let [first, last] = [0, width - 1];
    while (first < width && !solid(first, y)) first++;
    while (last >= 0 && !solid(last, y)) last--;
    for (let x = first; x <= last; x++) {
      begun++;
      if (!solid(x, y)) gaps++;
    }
  }
  const cut = cutAt(figure) + 0.5 * sides + (6 * gaps) / Math.max(1, begun);
  return 0.7 * cut + 2 * (1 - likeness(figure));
}

/** Correlation of a face with its mirror image, -1 to 1, at the place where it is highest. */
function likeness(figure: Pixels): number {
  const { data } = grey(boxed(figure, 32, 32));
  let best = -1;
  for (let shift = -2; shift <= 2; shift++) {
    const [one, other]: [number[], number[]] = [[], []];
    for (let y = 9; y < 27; y++) {
      for (let x = 0; x < 22; x++) {
        one.push(data[32 * y + 5 + shift + x]);
        other.push(data[32 * y + 26 + shift - x]);
      }
    }
    const mean = one.reduce((a, b) => a + b, 0) / one.length; // of both: they are the same values
    const square = one.reduce((sum, a) => sum + (a - mean) ** 2, 0);
    if (!square) return 1;
    best = Math.max(best, one.reduce((sum, a, i) => sum + (a - mean) * (other[i] - mean), 0) / square);
  }
  return best;
}
