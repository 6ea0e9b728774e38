// Type set in a box: lines that fit, justified or centred, and vertical Japanese. After
// tfanime/posters/type.py, which explains it.

import type { Box } from "./calm";
import type { Face } from "./faces";

const SMALLEST = 4; // pixels
const LONGEST = 1 / 22; // of the width: a word that would have to be set smaller is broken
const MOST_WORDS = 9; // up to which all ways of breaking lines are tried
const UNEVEN = 2.2; // a justified line is at most so many times as large as another
// Characters that lie on their side in vertical Japanese, and those that move to the upper right.
const TURNED = new Set("ー〜～…‥—–-=「」『』（）()［］【】：:");
const RAISED = new Set("、。，．ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ");

/** A run of text of one size, in pixels; `tracking` is added between letters, in parts of the size. */
export interface Line {
  face: Face;
  text: string;
  x: number;
  baseline: number;
  size: number;
  tracking: number;
  /** It lies on its side, a quarter turn clockwise about its box. */
  turned?: boolean;
}

function inkOf({ face, text, x, baseline, size, tracking, turned }: Line): Box {
  if (turned) return box(x - 1, baseline - size, x + size + 1, baseline + 1);
  const [left, top, right, bottom] = face.ink(text).map((part) => part * size);
  const more = tracking * size * Math.max(0, Array.from(text).length - 1);
  return box(x + left - 1, baseline + top - 1, x + right + more + 2, baseline + bottom + 1);
}

function box(left: number, top: number, right: number, bottom: number): Box {
  return [Math.floor(left), Math.floor(top), Math.ceil(right), Math.ceil(bottom)];
}

/** The box around all that lines may touch. */
export function extent(lines: Line[]): Box {
  const boxes = lines.map(inkOf);
  const all = (i: number) => boxes.map((one) => one[i]);
  return [Math.min(...all(0)), Math.min(...all(1)), Math.max(...all(2)), Math.max(...all(3))];
}

export function moved(lines: Line[], right: number, down: number): Line[] {
  return lines.map((line) => ({ ...line, x: line.x + right, baseline: line.baseline + down }));
}

export function write(pen: OffscreenCanvasRenderingContext2D, line: Line): void {
  const { face, text, x, baseline, size, tracking, turned } = line;
  pen.font = face.font(size);
  if (turned) {
    pen.save();
    pen.translate(x + size / 2, baseline - size / 2);
    pen.rotate(Math.PI / 2);
    pen.fillText(text, -size / 2, 0.38 * size);
    pen.restore();
    return;
  }
  const steps = face.advances(text);
  Array.from(text).reduce((at, letter, i) => {
    pen.fillText(letter, at, baseline);
    return at + (steps[i] + tracking) * size;
  }, x);
}

// ---- titles ------------------------------------------------------------------------------------

interface Manner {
  tracking: number;
  /** Every line is made as wide as the box, by its size; else all have one size and are centred. */
  justified: boolean;
  largest: number;
  /** Between lines, in parts of the height of a capital. */
  gap: number;
}

const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);

/** Lines in a box at (0, 0), as large as they can be, at its top. */
export function block(text: string, face: Face, width: number, height: number, manner: Manner): Line[] {
  const { tracking, justified, largest, gap } = manner;
  let best: { filled: number; rows: string[]; sizes: number[] } | null = null;
  for (const rows of broken(short(words(text), face, tracking))) {
    const widths = rows.map((row) => face.width(row, tracking));
    const each = widths.map((w) => width / w);
    const least = Math.min(...each);
    let sizes = each.map((size) => Math.min(justified ? Math.min(size, UNEVEN * least) : least, largest));
    const tall = face.capitals * (sum(sizes) + gap * sum(sizes.slice(1)));
    const shrunk = Math.min(1, height / tall);
    sizes = sizes.map((size) => size * shrunk);
    const filled = sum(sizes.map((size, i) => size * size * widths[i]));
    if (!best || filled > 1.001 * best.filled) best = { filled, rows, sizes };
  }
  if (!best) return [];
  let { sizes } = best;
  for (let tries = 0; ; tries++) {
    // Accents and descenders stand out of the box of capitals.
    const lines = stacked(best.rows, face, width, sizes, tracking, gap);
    const [left, top, right, bottom] = extent(lines);
    const fits = right - left <= width && bottom - top <= height;
    if (fits || Math.max(...sizes) <= SMALLEST || tries > 200) return moved(lines, Math.max(0, -left), -top);
    sizes = sizes.map((size) => 0.99 * size);
  }
}

export const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** Words, those that are too long for a line in parts. */
function short(parts: string[], face: Face, tracking: number): string[] {
  return parts.flatMap((word) => {
    const letters = Array.from(word);
    const count = Math.ceil(face.width(word, tracking) * LONGEST) || 1;
    return parted(letters, Math.ceil(letters.length / count));
  });
}

/** Letters in parts of `step` each; the last may have fewer. */
function parted(letters: string[], step: number): string[] {
  return Array.from({ length: Math.ceil(letters.length / step) }, (_, i) =>
    letters.slice(i * step, (i + 1) * step).join(""),
  );
}

/** Ways to break words into lines, those of few lines first; of many words, lines of even length. */
function broken(parts: string[]): string[][] {
  if (parts.length > MOST_WORDS) {
    const most = Math.min(parts.length, 9);
    return Array.from({ length: most - 1 }, (_, i) => even(parts, i + 2));
  }
  const ways = Array.from({ length: 2 ** Math.max(0, parts.length - 1) }, (_, cuts) => {
    const rows: string[][] = [[]];
    parts.forEach((word, i) => {
      if (i && cuts & (1 << (i - 1))) rows.push([]);
      rows[rows.length - 1].push(word);
    });
    return rows;
  });
  const cutAt = (rows: string[][]) => rows.map(({ length }) => String(length)).join();
  ways.sort((a, b) => a.length - b.length || cutAt(a).localeCompare(cutAt(b)));
  return parts.length ? ways.map((rows) => rows.map((row) => row.join(" "))) : [];
}

/** Words in `count` lines or fewer, of about as many letters each. */
function even(parts: string[], count: number): string[] {
  const total = sum(parts.map(({ length }) => length)) + parts.length - 1;
  const lines: string[] = [];
  let line = "";
  for (const word of parts) {
    const longer = line ? `${line} ${word}` : word;
    if (line && lines.length < count - 1 && longer.length - word.length / 2 > total / count) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function stacked(
  rows: string[],
  face: Face,
  width: number,
  sizes: number[],
  tracking: number,
  gap: number,
): Line[] {
  let y = 0;
  return rows.map((text, i) => {
    const size = Math.max(SMALLEST, Math.floor(sizes[i]));
    y += face.capitals * sizes[i] * (i ? 1 + gap : 1);
    const x = (width - face.width(text, tracking) * size) / 2;
    return { face, text, x, baseline: y, size, tracking };
  });
}

/** Vertical Japanese in a box at (0, 0): columns from right to left, as large as they can be. */
export function column(text: string, face: Face, width: number, height: number, largest: number): Line[] {
  const letters = Array.from(text.replaceAll(/\s/g, ""));
  const counts = new Set(Array.from({ length: 8 }, (_, k) => Math.ceil(letters.length / (k + 1))));
  const ways = [[letters.join("")], words(text)];
  for (const n of counts) {
    ways.push(parted(letters, n));
  }
  let best = { size: 0, columns: [letters.join("")] };
  for (const columns of ways) {
    const longest = Math.max(...columns.map((one) => Array.from(one).length));
    const size = Math.min(largest, height / longest, width / (1.25 * columns.length - 0.25));
    if (size > 1.001 * best.size) best = { size, columns };
  }
  const size = Math.max(SMALLEST, Math.floor(0.97 * best.size));
  return best.columns.flatMap((one, i) => {
    const left = width - size * (1 + 1.25 * i);
    return Array.from(one, (letter, j): Line => {
      const lift = RAISED.has(letter) ? 0.12 * size : 0;
      const turned = TURNED.has(letter);
      const inset = (size - face.width(letter) * size) / 2;
      const x = left + (turned ? 0 : inset + lift);
      const baseline = size * (j + (turned ? 1 : 0.88)) - lift;
      return { face, text: letter, x, baseline, size, tracking: 0, turned };
    });
  });
}

// ---- credits -----------------------------------------------------------------------------------

const SMALL_CAPITALS = 0.66; // of the size of capitals
const TRACKING = 0.02;
const [SPACE, APART] = [0.28, 0.75]; // between words, and between credits, in parts of a size

const isSmall = (word: string) => {
  const first = Array.from(word)[0] ?? "";
  return first !== first.toUpperCase();
};

/** The credits of a film poster, centred in a box at (0, 0), at its top: a word that is typed with a
 * capital is a name and set large, one in small letters ("directed by") in small capitals. */
export function credits(text: string, face: Face, width: number, height: number, largest: number): Line[] {
  for (let size = largest; ; size = Math.max(SMALLEST, 0.94 * size)) {
    const lines = creditLines(wrapped(text, face, width, size), face, width, size);
    const [left, top, right, bottom] = extent(lines);
    if ((bottom - top <= height && right - left <= width) || size <= SMALLEST) return moved(lines, 0, -top);
  }
}

/** Words of each credit: one begins at a small word that follows a name. */
function units(parts: string[]): string[][] {
  const found: string[][] = [[]];
  for (const word of parts) {
    const now = found[found.length - 1];
    if (now.length && isSmall(word) && !isSmall(now[now.length - 1])) found.push([word]);
    else now.push(word);
  }
  return found;
}

function pieces(credit: string[], face: Face, size: number): { text: string; size: number; width: number }[] {
  return credit.map((word) => {
    const whole = Math.max(SMALLEST, Math.floor(size * (isSmall(word) ? SMALL_CAPITALS : 1)));
    const upper = word.toUpperCase();
    const text = face.has(upper) ? upper : word;
    return { text, size: whole, width: face.width(text, TRACKING) * whole };
  });
}

function widthOf(credit: string[], face: Face, size: number): number {
  return sum(pieces(credit, face, size).map(({ width }) => width)) + SPACE * size * (credit.length - 1);
}

/** Credits in as few lines as the width allows, of about equal length. */
function wrapped(text: string, face: Face, width: number, size: number): string[][][] {
  const all = units(short(words(text), face, TRACKING)).flatMap((credit) =>
    widthOf(credit, face, size) > width ? credit.map((word) => [word]) : [credit],
  );
  const widths = all.map((credit) => widthOf(credit, face, size));
  const total = sum(widths) + APART * size * (all.length - 1);
  const wanted = total / Math.max(1, Math.ceil(total / (0.96 * width)));
  const rows: string[][][] = [[]];
  let filled = 0;
  all.forEach((credit, i) => {
    let now = rows[rows.length - 1];
    let longer = filled + (now.length ? APART * size : 0) + widths[i];
    if (now.length && (longer > width || longer - widths[i] / 2 > wanted)) {
      rows.push((now = []));
      longer = widths[i];
    }
    now.push(credit);
    filled = longer;
  });
  return rows;
}

function creditLines(rows: string[][][], face: Face, width: number, size: number): Line[] {
  return rows.flatMap((row, i) => {
    const total = sum(row.map((credit) => widthOf(credit, face, size))) + APART * size * (row.length - 1);
    let x = (width - total) / 2;
    const baseline = face.capitals * size * (1 + 1.5 * i);
    return row.flatMap((credit) => {
      const lines = pieces(credit, face, size).map((piece): Line => {
        const line = { face, text: piece.text, x, baseline, size: piece.size, tracking: TRACKING };
        x += piece.width + SPACE * size;
        return line;
      });
      x += (APART - SPACE) * size;
      return lines;
    });
  });
}
