// Colours of a poster: taken from its draft, and readable by WCAG's measure. After
// tfanime/posters/palette.py, which explains it. Lightness and hue are those of OKLab.

import { boxed, type Pixels } from "./raster";

export type Colour = [number, number, number];

export const LEAST = 4.5; // contrast that WCAG 2.2 asks of text (AA)
const CLUSTERS = 5;
const ROUNDS = 12;
const DAY = 0.66; // mean lightness of a draft from which its poster is dark on light

/** Hue, in degrees, and chroma of what a phrase may name. */
const NAMED: Record<string, [number, number]> = {
  red: [27, 0.21], crimson: [20, 0.2], scarlet: [30, 0.21], blood: [24, 0.2],
  orange: [58, 0.18], amber: [75, 0.16], gold: [88, 0.15], golden: [88, 0.15],
  yellow: [98, 0.17], green: [145, 0.17], emerald: [158, 0.14], teal: [192, 0.11],
  turquoise: [190, 0.12], cyan: [205, 0.13], blue: [258, 0.18], azure: [245, 0.15],
  indigo: [280, 0.18], violet: [300, 0.19], purple: [308, 0.19], pink: [355, 0.17],
  rose: [8, 0.17], silver: [250, 0.02], white: [90, 0.01], grey: [250, 0.01],
  gray: [250, 0.01],
};

/** Four colours, from the darkest to the lightest; `accent` is the vivid one. */
export interface Palette {
  dark: Colour;
  mid: Colour;
  accent: Colour;
  light: Colour;
  /** Whether the poster is dark on light, as its draft is. */
  day: boolean;
}

/** What type stands on. */
export const paper = ({ day, light, dark }: Palette): Colour => (day ? light : dark);

/** What type is set in. */
export const ink = ({ day, light, dark }: Palette): Colour => (day ? dark : light);

/** The colours of a ground, from dark to light. */
export function ramp({ dark, mid, accent, light, day }: Palette): Colour[] {
  if (!day) return [dark, mid, accent, light];
  return [mix(mid, accent, 0.5), accent, mix(accent, light, 0.6), light];
}

/** The colours of a figure, from dark to light. */
export const full = ({ dark, mid, accent, light }: Palette): Colour[] => [dark, mid, accent, light];

// ---- contrast ----------------------------------------------------------------------------------

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => linear(i));

/** sRGB, 0 to 255, as linear light, 0 to 1. */
function linear(value: number): number {
  const c = value / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

const light = (value: number) => (Number.isInteger(value) ? LINEAR[value] : linear(value));

/** WCAG's relative luminance, 0 (black) to 1 (white). */
export function luminance(r: number, g: number, b: number): number {
  return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
}

/** WCAG's contrast ratio of two luminances, 1 to 21. */
export function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** The colour closest to `colour`, lighter or darker, that all of these luminances set off; null if
 * neither white nor black would do. */
export function readable(colour: Colour, darkest: number, lightest: number, least: number): Colour | null {
  for (let step = 0; step <= 20; step++) {
    for (const end of [255, 0]) {
      const mixed = mix(colour, [end, end, end], step / 20);
      const own = luminance(...mixed);
      // A luminance between the two is what it has no contrast to.
      const between = own > darkest && own < lightest;
      if (!between && Math.min(contrast(own, darkest), contrast(own, lightest)) >= least) return mixed;
    }
  }
  return null;
}

/** `one` at 0, `other` at 1. */
export function mix(one: Colour, other: Colour, share: number): Colour {
  return one.map((c, i) => even((1 - share) * c + share * other[i])) as Colour;
}

/** Rounded, halves to the even number, as NumPy rounds. */
function even(value: number): number {
  const whole = Math.floor(value);
  const rest = value - whole;
  return rest === 0.5 ? whole + (whole % 2) : rest < 0.5 ? whole : whole + 1;
}

// ---- OKLab -------------------------------------------------------------------------------------

type Triple = [number, number, number];

const LMS: Triple[] = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const LAB: Triple[] = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

const times = (matrix: Triple[], [x, y, z]: Triple): Triple =>
  matrix.map((row) => row[0] * x + row[1] * y + row[2] * z) as Triple;

function inverse([[a, b, c], [d, e, f], [g, h, i]]: Triple[]): Triple[] {
  const whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const rows = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  return rows.map((row) => row.map((x) => x / whole)) as Triple[];
}

const [OF_LMS, OF_LAB] = [inverse(LMS), inverse(LAB)];

function toLab(r: number, g: number, b: number): Triple {
  return times(LAB, times(LMS, [light(r), light(g), light(b)]).map(Math.cbrt) as Triple);
}

/** The sRGB colour of a lightness and hue (radians); chroma is lowered until it is one. */
function ofLab(lightness: number, chroma: number, hue: number): Colour {
  let rgb: Triple;
  for (;;) {
    const lab: Triple = [lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)];
    rgb = times(OF_LMS, times(OF_LAB, lab).map((x) => x ** 3) as Triple);
    if (chroma < 1e-3 || (Math.min(...rgb) > -1e-4 && Math.max(...rgb) < 1 + 1e-4)) break;
    chroma *= 0.95;
  }
  return rgb.map((x) => {
    const c = Math.max(0, Math.min(1, x));
    return even(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055));
  }) as Colour;
}

// ---- of an image -------------------------------------------------------------------------------

/** The palette of an image; a colour that a phrase names becomes the accent. */
export function paletteOf(image: Pixels, phrase: string): Palette {
  const small = boxed(image, 32, 48);
  const points = Array.from({ length: 32 * 48 }, (_, i) =>
    toLab(small.data[4 * i], small.data[4 * i + 1], small.data[4 * i + 2]),
  );
  const { centres, shares } = clusters(points);
  const chroma = centres.map(([, a, b]) => Math.hypot(a, b));
  const hue = centres.map(([, a, b]) => Math.atan2(b, a));
  const best = (of: (i: number) => number) => {
    const marks = centres.map((_, i) => of(i));
    return marks.indexOf(Math.max(...marks));
  };
  // Dark colours look less vivid than their chroma.
  const vivid = best((i) => chroma[i] * centres[i][0] * Math.sqrt(shares[i]));
  const [darkest, lightest] = [best((i) => -centres[i][0]), best((i) => centres[i][0])];
  const most = best((i) => (i === vivid ? 0 : shares[i]));
  return {
    dark: ofLab(0.17, Math.min(0.05, chroma[darkest] + 0.02), hue[darkest]),
    mid: ofLab(0.38, Math.min(0.1, Math.max(0.05, chroma[most])), hue[most]),
    accent: named(phrase) ?? ofLab(0.66, Math.max(0.15, chroma[vivid]), hue[vivid]),
    light: ofLab(0.95, Math.min(0.035, chroma[lightest] + 0.01), hue[lightest]),
    day: points.reduce((sum, [lightness]) => sum + lightness, 0) / points.length > DAY,
  };
}

/** The first colour that a phrase names. */
function named(phrase: string): Colour | null {
  const word = phrase.toLowerCase().match(/[a-z]+/g)?.find((one) => Object.hasOwn(NAMED, one));
  if (!word) return null;
  const [degrees, chroma] = NAMED[word];
  const lightness = chroma < 0.05 || (degrees > 70 && degrees < 110) ? 0.8 : 0.63;
  return ofLab(lightness, chroma, (degrees * Math.PI) / 180);
}

/** k-means from quantiles of the lightness, so that the same points give the same. */
function clusters(points: Triple[]): { centres: Triple[]; shares: number[] } {
  const order = points.map((_, i) => i).sort((a, b) => points[a][0] - points[b][0]);
  const centres = Array.from({ length: CLUSTERS }, (_, i): Triple => [
    ...points[order[Math.trunc(((i + 0.5) * points.length) / CLUSTERS)]],
  ]);
  let counts: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    counts = new Array<number>(CLUSTERS).fill(0);
    const sums = centres.map((): Triple => [0, 0, 0]);
    for (const point of points) {
      let [nearest, least] = [0, Infinity];
      centres.forEach((centre, i) => {
        const far = (point[0] - centre[0]) ** 2 + (point[1] - centre[1]) ** 2 + (point[2] - centre[2]) ** 2;
        if (far < least) [nearest, least] = [i, far];
      });
      counts[nearest]++;
      for (const k of [0, 1, 2]) sums[nearest][k] += point[k];
    }
    sums.forEach((sum, i) => {
      if (counts[i]) centres[i] = sum.map((x) => x / counts[i]) as Triple;
    });
  }
  return { centres, shares: counts.map((n) => n / points.length) };
}
