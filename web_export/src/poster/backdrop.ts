// The ground of a poster: a draft made large, on purpose. After tfanime/posters/backdrop.py and
// compose.py, which explain it: `print` is a screen print of four inks with dots between them,
// `mist` soft light with grain, `paint` the draft as its upscaler shows it.

import { type Colour, mix, type Palette, ramp } from "./palette";
import {
  blank,
  blurred,
  channel,
  cropped,
  Enlarged,
  grey,
  median,
  type Pixels,
  type Plane,
  plane,
} from "./raster";

export type Style = "print" | "mist" | "paint";

const DOT = 1 / 110; // of the poster's width: from one dot of a screen print to the next
export const BLUR = 2.2;
const GRAIN: Record<Style, number> = { print: 4, mist: 6.5, paint: 4 }; // standard deviation, of 255
export const DISC = 0.36; // radius, of the width

/** How light a draft is at each place, 0 to 1, all of the range used, smooth. */
function light(draft: Pixels, blur: number): Plane {
  const values = blurred(median(grey(draft), 3), blur);
  for (let i = 0; i < values.data.length; i++) values.data[i] = Math.round(values.data[i]);
  const sorted = Float32Array.from(values.data).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  };
  const [low, high] = [at(0.01), at(0.99)];
  const ranks = new Map<number, number>();
  sorted.forEach((value, i) => {
    if (!ranks.has(value)) ranks.set(value, i / sorted.length);
  });
  const found = plane(values.width, values.height);
  // Half its own, half its rank: dark drafts stay dark, and none is flat.
  values.data.forEach((value, i) => {
    const own = Math.max(0, Math.min(1, (value - low) / Math.max(high - low, 1)));
    found.data[i] = 0.55 * own + 0.45 * (ranks.get(value) as number);
  });
  return found;
}

/** A draft without its noise: how light it is, and its own colours. */
export interface Soft {
  light: Plane;
  colours: Plane[];
}

export function soften(draft: Pixels, blur: number): Soft {
  const colours = [0, 1, 2].map((which) => blurred(median(channel(draft, which), 5), 1.2 * blur));
  return { light: light(draft, blur), colours };
}

/** The ground. */
export function backdrop(soft: Soft, palette: Palette, width: number, height: number, style: Style): Pixels {
  const tones = new Enlarged(soft.light, width, height);
  const out = blank(width, height);
  const ends = ramp(palette);
  const lift = palette.day ? 0.3 : 0;
  const [start, share] = style === "print" ? [0.06, 0.62] : [0.08, 0.72];
  const own = style === "mist" ? soft.colours.map((colour) => new Enlarged(colour, width, height)) : [];
  const paint = style === "print" ? inks(ends, width, height) : tone(ends);
  for (let y = 0; y < height; y++) {
    const row = tones.at(y);
    const rows = own.map((colour) => colour.at(y));
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const much = Math.max(0, Math.min(1, row[x]));
      paint(start + share * (lift + much), x, y, out.data, at);
      for (let c = 0; c < rows.length; c++) out.data[at + c] = 0.4 * rows[c][x] + 0.6 * out.data[at + c];
    }
  }
  return out;
}

/** A draft as it is shown, as the ground; what it is higher or wider is cut off evenly. */
export function asShown(shown: Pixels, width: number, height: number): Pixels {
  const scale = Math.max(height / shown.height, width / shown.width);
  const [rows, columns] = [Math.round(height / scale), Math.round(width / scale)];
  const part = cropped(shown, (shown.width - columns) >> 1, (shown.height - rows) >> 1, columns, rows);
  const out = blank(width, height);
  for (let which = 0; which < 3; which++) {
    const large = new Enlarged(channel(part, which), width, height);
    for (let y = 0; y < height; y++) {
      const row = large.at(y);
      for (let x = 0; x < width; x++) out.data[4 * (y * width + x) + which] = row[x];
    }
  }
  return out;
}

/** Writes the colour of a tone, 0 to 1, of the pixel (x, y). */
export type Paint = (tone: number, x: number, y: number, data: Uint8ClampedArray, at: number) => void;

/** Colours between those of a ramp. */
export function tone(ends: Colour[]): Paint {
  return (value, _x, _y, data, at) => {
    const place = Math.max(0, Math.min(1, value)) * (ends.length - 1);
    const step = Math.min(Math.trunc(place), ends.length - 2);
    const share = place - step;
    for (let c = 0; c < 3; c++) data[at + c] = (1 - share) * ends[step][c] + share * ends[step + 1][c];
  };
}

/** The colours of a ramp as inks: flat, with dots of the next one where it begins. `width` is that of
 * the poster, which decides how large dots are. */
export function inks(ends: Colour[], width: number, height: number): Paint {
  const turn = (2 * Math.PI) / (DOT * width);
  // Lines of dots at 45 degrees: two waves, each along a diagonal.
  const wave = (from: number, count: number) =>
    Float32Array.from({ length: count }, (_, i) => 0.25 * Math.cos(turn * 0.7071 * (i + from)));
  const [along, across] = [wave(0, width + height), wave(-height, width + height)];
  const sharp = (DOT * width) / 3.2; // a dot's edge is a pixel wide
  return (value, x, y, data, at) => {
    const place = Math.max(0, Math.min(1, value)) * (ends.length - 1);
    const step = Math.min(Math.trunc(place), ends.length - 2);
    const screen = 0.5 + along[x + y] + across[x - y + height];
    const share = Math.max(0, Math.min(1, (place - step - (0.16 + 0.68 * screen)) * sharp + 0.5));
    for (let c = 0; c < 3; c++) data[at + c] = (1 - share) * ends[step][c] + share * ends[step + 1][c];
  };
}

/** A moon or a sun in the accent, a little lighter at its top. */
export function disc(canvas: Pixels, palette: Palette, style: Style, x: number, y: number): void {
  const { data, width, height } = canvas;
  const radius = Math.round(DISC * width);
  const { accent, mid, light: pale } = palette;
  const ends = [mix(accent, mid, 0.55), accent, mix(accent, pale, 0.3)];
  const paint = style === "print" ? inks(ends, width, height) : tone(ends);
  const colour = new Uint8ClampedArray(4);
  for (let row = Math.max(0, y - radius); row < Math.min(height, y + radius); row++) {
    for (let column = Math.max(0, x - radius); column < Math.min(width, x + radius); column++) {
      const far = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      const share = Math.max(0, Math.min(1, radius - 1 - far + 0.5));
      if (!share) continue;
      paint(0.9 - (0.75 * (row - y + radius)) / (2 * radius - 1), column, row, colour, 0);
      over(data, 4 * (row * width + column), colour, share);
    }
  }
}

/** The paper's colour grows towards the foot, where credits stand, and towards the edges. */
export function foot({ data, width, height }: Pixels, paper: Colour, start: number): void {
  const columns = Float32Array.from({ length: width }, (_, x) => {
    const far = Math.abs((x + 0.5) / width - 0.5) * 2 - 0.45;
    return 1 - Math.max(0, Math.min(1, far)) ** 2 * 0.9;
  });
  for (let y = 0; y < height; y++) {
    const down = (y + 0.5) / height;
    const t = Math.max(0, Math.min(1, (down - start) / (0.94 - start)));
    const keep = (1 - 0.94 * t * t * (3 - 2 * t)) * (1 - Math.max(0, 0.16 - down) * 2.2);
    for (let x = 0; x < width; x++) over(data, 4 * (y * width + x), paper, 1 - keep * columns[x]);
  }
}

export function over(data: Uint8ClampedArray, at: number, colour: ArrayLike<number>, share: number): void {
  for (let c = 0; c < 3; c++) data[at + c] += share * (colour[c] - data[at + c]);
}

/** The grain of film or paper, the same for a seed. */
export function grained({ data }: Pixels, style: Style, seed: number): void {
  let state = (seed ^ 0x9e3779b9) | 0;
  const scale = GRAIN[style] / 65536 / Math.sqrt(1 / 3); // of the sum of four even numbers
  for (let at = 0; at < data.length; at += 4) {
    let sum = -131070;
    for (let i = 0; i < 2; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      sum += (state & 0xffff) + (state >>> 16);
    }
    const noise = Math.round(scale * sum);
    for (let c = 0; c < 3; c++) data[at + c] += noise;
  }
}
