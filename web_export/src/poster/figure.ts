// A cut-out figure in the light of a poster. After tfanime/posters/figure.py, which explains it.

import { inks, over, type Style, tone } from "./backdrop";
import { cutAt } from "./cutout";
import { full, type Palette, paper } from "./palette";
import { blurred, channel, Enlarged, grey, type Pixels, type Plane, plane, resized } from "./raster";

const OWN: Record<Style, number> = { print: 0.5, mist: 0.66, paint: 0.8 }; // how much of its own colours it keeps
const FADE = 0.18; // of its height, from its foot: there it goes over into the ground
export const CUT = 0.15; // of its upper border that a figure may touch before that is faded too
const SHARP = 0.9; // of the blur of enlarging that is taken back

const clamp = (x: number) => Math.max(0, Math.min(1, x));
const smooth = (x: number) => clamp(x) ** 2 * (3 - 2 * clamp(x));

/** Puts a figure on a poster, as wide as that, its colours drawn towards the poster's. */
export function place(canvas: Pixels, figure: Pixels, palette: Palette, style: Style, top: number): void {
  const { data, width, height } = canvas;
  const side = width;
  // Filters of the enlarged image, made before enlarging: the same, and quick at the size of a print.
  const scale = side / figure.width;
  const outline = blurred(channel(figure, 3), 1.6);
  const halo = new Enlarged(blurred(channel(figure, 3), side / 28 / scale), side, side);
  const colours = [0, 1, 2].map((which) => new Enlarged(sharpened(channel(figure, which), scale), side, side));
  const alphas = new Enlarged(outline, side, side);
  const { low, high, tones } = toneOf(figure);
  const large = new Enlarged(tones, side, side);
  const paint = style === "print" ? inks(full(palette), side, height) : tone(full(palette));
  const [start, share] = style === "print" ? [0.1, 0.84] : [0.12, 0.83];
  const faded = top > 0 && cutAt(figure) > CUT;
  const ground = paper(palette);
  const cast = new Uint8ClampedArray(4);
  const mixed = new Float32Array(3);
  for (let y = 0; y < side && top + y < height; y++) {
    if (top + y < 0) continue;
    const down = (y + 0.5) / side;
    const keep = smooth((1 - down) / FADE) * (faded ? smooth(down / 0.16) : 1);
    const [glow, alpha, shade] = [halo.at(y), alphas.at(y), large.at(y)];
    const own = colours.map((colour) => colour.at(y));
    for (let x = 0; x < side; x++) {
      const at = 4 * ((top + y) * width + x);
      // Where a figure sets itself off from the ground: its outline, blurred.
      const around = 0.6 * clamp(glow[x] / 255);
      if (around) over(data, at, ground, around * keepGlow(down));
      const solid = clamp((2.4 * (alpha[x] - 150) + 128) / 255) * keep;
      if (!solid) continue;
      paint(start + share * clamp((shade[x] - low) / Math.max(high - low, 1)), x, top + y, cast, 0);
      for (let c = 0; c < 3; c++) {
        mixed[c] = OWN[style] * Math.max(0, Math.min(255, own[c][x])) + (1 - OWN[style]) * cast[c];
      }
      over(data, at, mixed, solid);
    }
  }
}

/** The glow goes before the figure does: it would end at a line where the figure's image does. */
const keepGlow = (down: number) => smooth((1 - down) / (2 * FADE)) * smooth(down / 0.04);

/** Brightness, and which of it is darkest and lightest in the figure. */
function toneOf(figure: Pixels): { tones: Plane; low: number; high: number } {
  const tones = grey(figure);
  const solid = tones.data.filter((_, i) => figure.data[4 * i + 3] > 200).sort();
  const at = (share: number) => solid[Math.round(share * (solid.length - 1))];
  return solid.length ? { tones, low: at(0.02), high: at(0.98) } : { tones, low: 0, high: 255 };
}

/** A channel whose edges are steeper, by what a blur of the enlarged image would take from them. */
function sharpened(from: Plane, scale: number): Plane {
  const twice = scale < 2 ? from : resized(from, 2 * from.width, 2 * from.height);
  const soft = blurred(twice, twice.width / 220);
  const found = plane(twice.width, twice.height);
  twice.data.forEach((value, i) => {
    found.data[i] = value + SHARP * (value - soft.data[i]);
  });
  return found;
}
