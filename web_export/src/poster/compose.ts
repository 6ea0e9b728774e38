// A poster from its parts: ground, disc, figure, type. After tfanime/posters/compose.py.

import { asShown, backdrop, BLUR, disc, foot, grained, over, type Soft, soften, type Style } from "./backdrop";
import { type Box, energy } from "./calm";
import { cutAt } from "./cutout";
import { faceFor } from "./faces";
import { CUT, place } from "./figure";
import { type Faces, type Place, placeFor, setTexts, SMALL, type TextName, type Texts } from "./layout";
import { type Colour, ink, LEAST, luminance, mix, type Palette, paletteOf, paper, readable } from "./palette";
import { boxed, cropped, type Pixels, type Plane } from "./raster";
import { extent, type Line, write } from "./type";
import type { Layout } from "./words";
import type { Fetch } from "./works";

const FIGURE = { top: 0.25, centre: 0.17, bottom: 0.05, vertical: 0.2 }; // its top, of the height
const DETAIL = 1.3; // blur of a ground that stands alone, in pixels of its draft
const SKY = /\b(?:moon|sun|sunset|sunrise|planet|eclipse|star)\b/i;
const GRAINED = 1.2; // by how much more contrast there must be before grain comes on top

export interface Parts extends Texts {
  draft: Pixels;
  /** The draft as its upscaler shows it. */
  shown: Pixels;
  /** Cut out. */
  figure: Pixels | null;
  /** A colour in it becomes the accent; a moon or sun is shown, but not in `paint`. */
  phrase: string;
  style: Style;
  layout: Layout;
  face: "bold" | "classic";
  /** Of the grain. */
  seed: number;
}

/** Where the type of a poster is, and in which colours. */
export interface Made {
  canvas: OffscreenCanvas;
  layout: Place;
  boxes: Partial<Record<TextName, Box>>;
  colours: Partial<Record<TextName, Colour>>;
  /** Texts in the device's own type, whose letters the fonts lack. */
  own: TextName[];
}

/** Face and style: by genre, or without genres by how dark the draft is.
 *
 * Genres of `loud` have narrow capitals and a screen print; others have Roman capitals and mist. */
export function manner(genres: string[], loud: string[], { data }: Pixels): Pick<Parts, "face" | "style"> {
  let bold = genres.some((genre) => loud.includes(genre));
  if (!genres.length) {
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
    bold = sum / (0.75 * data.length) < 110;
  }
  return bold ? { face: "bold", style: "print" } : { face: "classic", style: "mist" };
}

/** Draws a poster. `fonts` are the paths of the kit's. */
export async function compose(
  parts: Parts,
  width: number,
  height: number,
  fetch: Fetch,
  fonts: Record<string, string>,
): Promise<Made> {
  const { draft, figure, phrase, layout, style } = parts;
  const face = (text: string, usual: "bold" | "classic" | "credits") => faceFor(fetch, fonts, text, usual);
  const [title, tagline, credits] = await Promise.all([
    face(parts.title, parts.face),
    face(parts.tagline, parts.face === "classic" ? "classic" : "credits"),
    face(parts.credits, "credits"),
  ]);
  const faces: Faces = { title, tagline, credits };
  const { palette, soft, cost } = studied(draft, figure !== null, phrase, height / width);
  const chosen = layout === "auto" ? placeFor(parts.title, figure !== null, style === "paint", cost) : layout;
  const ground = scene(parts, soft, palette, chosen, width, height);
  const lines = setTexts(parts, faces, chosen, parts.face === "classic", cost, width, height);
  const canvas = new OffscreenCanvas(width, height);
  const made: Made = { canvas, layout: chosen, boxes: {}, colours: {}, own: [] };
  for (const [name, set] of lines) {
    const box = extent(set);
    made.boxes[name] = box;
    made.colours[name] = setOff(ground, box, wanted(name, palette), paper(palette));
    if (faces[name].name === "device") made.own.push(name);
  }
  grained(ground, style, parts.seed);
  const pen = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  pen.putImageData(new ImageData(ground.data, width, height), 0, 0);
  for (const [name, set] of lines) draw(pen, set, made.colours[name] as Colour);
  return made;
}

interface Study {
  palette: Palette;
  soft: Soft;
  /** Where a small version of the ground is calm. */
  cost: Plane;
}

/** The last result of a function, for as long as its arguments are the same: while somebody types,
 * only the type changes. */
function remembered<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  let last: { args: A; result: R } | null = null;
  return (...args) => {
    if (!last || args.some((arg, i) => !same(arg, last?.args[i]))) last = { args, result: work(...args) };
    return last.result;
  };
}

/** Images come from the page as copies. */
export function same(one: unknown, other: unknown): boolean {
  const [a, b] = [one, other].map((value) => (value as Pixels | null)?.data);
  if (!(a instanceof Uint8ClampedArray && b instanceof Uint8ClampedArray)) return one === other;
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

const studied = remembered((draft: Pixels, figure: boolean, phrase: string, shape: number): Study => {
  const palette = paletteOf(draft, phrase);
  const soft = soften(draft, figure ? BLUR : DETAIL);
  // Dots are not what calm is measured on, nor is the size: a print has its type where the screen
  // has it.
  const cost = energy(backdrop(soft, palette, SMALL, Math.round(SMALL * shape), "mist"));
  return { palette, soft, cost };
});

const LARGE = 4_000_000; // pixels: prints are drawn once, and would fill the memory

/** The poster without its type. */
function scene(
  { figure, phrase, style, shown }: Parts,
  soft: Soft,
  palette: Palette,
  at: Place,
  width: number,
  height: number,
): Pixels {
  const parts = [figure, SKY.test(phrase), style, soft, shown, palette, at, width, height] as const;
  if (width * height > LARGE) return painted(...parts);
  const ground = paintedOnce(...parts);
  return { ...ground, data: ground.data.slice() };
}

/** Ground, disc, figure, and the paper's colour at the foot. */
function painted(
  figure: Pixels | null,
  sky: boolean,
  style: Style,
  soft: Soft,
  shown: Pixels,
  palette: Palette,
  at: Place,
  width: number,
  height: number,
): Pixels {
  const own = style === "paint";
  const ground = own ? asShown(shown, width, height) : backdrop(soft, palette, width, height, style);
  const middle = Math.floor(width / 2);
  if (figure) {
    let top = Math.round(FIGURE[at] * height);
    if (at === "bottom" && cutAt(figure) > CUT) top = 0; // what its own image cuts off, the poster does
    disc(ground, palette, style, middle, top + Math.round(0.22 * width));
    place(ground, figure, palette, style, top);
  } else if (sky && !own) {
    // It would hide the figure of the draft.
    const down = at === "top" ? 0.58 : at === "centre" ? 0.3 : 0.34; // away from the title
    disc(ground, palette, style, middle, Math.round(down * height));
  }
  foot(ground, paper(palette), at === "bottom" ? 0.56 : 0.68);
  return ground;
}

const paintedOnce = remembered(painted);

function wanted(name: TextName, palette: Palette): Colour {
  if (name === "credits") return mix(ink(palette), palette.mid, 0.15);
  if (name === "tagline") return mix(palette.accent, ink(palette), palette.day ? 0.6 : 0.4);
  return ink(palette);
}

function draw(pen: OffscreenCanvasRenderingContext2D, lines: Line[], colour: Colour): void {
  pen.fillStyle = `rgb(${colour.join(" ")})`;
  for (const line of lines) write(pen, line);
}

/** Makes type readable: by a shade of its colour where that will do, else by a soft scrim.
 *
 * Returns the colour: its contrast to every point behind it is 4.5 or more. */
function setOff(ground: Pixels, box: Box, colour: Colour, scrim: Colour): Colour {
  const { width, height } = ground;
  const margin = Math.round(0.01 * width);
  const area: Box = [
    Math.max(0, box[0] - margin),
    Math.max(0, box[1] - margin),
    Math.min(width, box[2] + margin),
    Math.min(height, box[3] + margin),
  ];
  const points = sampled(ground, area);
  let found: Colour | null = null;
  let strength = 0;
  for (strength of [0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1]) {
    let [darkest, lightest] = [1, 0];
    for (let i = 0; i < points.length; i += 4) {
      const behind = (c: number) => Math.round(points[i + c] + strength * (scrim[c] - points[i + c]));
      const own = luminance(behind(0), behind(1), behind(2));
      darkest = Math.min(darkest, own);
      lightest = Math.max(lightest, own);
    }
    found = readable(colour, darkest, lightest, GRAINED * LEAST);
    if (found && Math.max(...found.map((c, i) => Math.abs(c - colour[i]))) <= 60) break;
  }
  if (strength) cover(ground, area, scrim, strength);
  return found ?? colour;
}

/** Points of a box, 120 x 120 at most. */
function sampled(ground: Pixels, [left, top, right, bottom]: Box): Uint8ClampedArray {
  const part = cropped(ground, left, top, right - left, bottom - top);
  return boxed(part, Math.min(120, part.width), Math.min(120, part.height)).data;
}

/** A colour that is as strong as it is said in a box, and fades around it. */
function cover({ data, width, height }: Pixels, area: Box, colour: Colour, strength: number): void {
  const [left, top, right, bottom] = area;
  const reach = 0.09 * width;
  for (let y = Math.max(0, Math.floor(top - reach)); y < Math.min(height, bottom + reach); y++) {
    const down = Math.max(top - y, y - bottom, 0) / reach;
    for (let x = Math.max(0, Math.floor(left - reach)); x < Math.min(width, right + reach); x++) {
      const across = Math.max(left - x, x - right, 0) / reach;
      const near = Math.max(0, 1 - Math.hypot(across, down));
      over(data, 4 * (y * width + x), colour, strength * near * near * (3 - 2 * near));
    }
  }
}
