// The faces that type is set in: those of the kit, and for letters that they lack the device's own.
// After tfanime/posters/faces.py.

import type { Fetch } from "./works";

export const FACES = { bold: "BebasNeue", classic: "Cinzel", credits: "LeagueGothic", kana: "DelaGothicOne" };
export type FaceName = keyof typeof FACES;

const DEVICE =
  '"Hiragino Sans", "Noto Sans CJK JP", "Yu Gothic", "Microsoft YaHei", "Noto Sans", system-ui, sans-serif';
const MEASURED = 200; // pixels: the size that widths are measured at
const JAPANESE = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;

export function isJapanese(text: string): boolean {
  return JAPANESE.test(text);
}

const context = () => new OffscreenCanvas(1, 1).getContext("2d") as OffscreenCanvasRenderingContext2D;

/** A face, and how wide and high what it writes is, in parts of its size. */
export class Face {
  private readonly pen = context();
  private readonly steps = new Map<string, number>();
  readonly capitals: number; // the height of a capital letter

  constructor(
    readonly name: FaceName | "device",
    private readonly family: string,
    private readonly weight: number,
    private readonly characters: Set<number> | null,
  ) {
    this.pen.font = this.font(MEASURED);
    this.capitals = this.pen.measureText(this.has("H") ? "H" : "ア").actualBoundingBoxAscent / MEASURED;
  }

  font(size: number): string {
    return `${this.weight} ${size}px ${this.family}`;
  }

  has(text: string): boolean {
    const { characters } = this;
    return !characters || Array.from(text).every((c) => !c.trim() || characters.has(c.codePointAt(0) as number));
  }

  private step(text: string): number {
    let found = this.steps.get(text);
    if (found === undefined) {
      found = this.pen.measureText(text).width / MEASURED;
      this.steps.set(text, found);
    }
    return found;
  }

  /** How far the pen moves after each character, kerning included. */
  advances(text: string): number[] {
    const letters = Array.from(text);
    return letters.map((letter, i) =>
      i + 1 < letters.length ? this.step(letter + letters[i + 1]) - this.step(letters[i + 1]) : this.step(letter),
    );
  }

  /** Of a line; `tracking` is added between letters. */
  width(text: string, tracking = 0): number {
    const steps = this.advances(text);
    return steps.reduce((a, b) => a + b, 0) + tracking * Math.max(0, steps.length - 1);
  }

  /** What a text may touch around its pen: left, top, right, bottom. */
  ink(text: string): [number, number, number, number] {
    const found = this.pen.measureText(text);
    const { actualBoundingBoxLeft: left, actualBoundingBoxRight: right } = found;
    const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = found;
    return [-left / MEASURED, -up / MEASURED, right / MEASURED, down / MEASURED];
  }
}

// ---- the kit's ---------------------------------------------------------------------------------

const loaded = new Map<string, Promise<Face>>();

/** A face of the kit, fetched when it is first needed. */
function face(fetch: Fetch, paths: Record<string, string>, name: FaceName): Promise<Face> {
  const path = paths[FACES[name]];
  let found = loaded.get(path);
  if (!found) {
    found = opened(fetch, path, name);
    loaded.set(path, found);
    found.catch(() => loaded.delete(path)); // so that another try may succeed
  }
  return found;
}

async function opened(fetch: Fetch, path: string, name: FaceName): Promise<Face> {
  const bytes = await fetch(path);
  const family = `tfanime ${FACES[name]}`;
  const font = await new FontFace(family, bytes).load();
  (globalThis as unknown as { fonts: FontFaceSet }).fonts.add(font);
  return new Face(name, `"${family}"`, 400, charactersOf(bytes));
}

let own: Face | null = null;

/** The face for a text: `usual`, or `kana` for Japanese; the device's own where it lacks a letter. */
export async function faceFor(
  fetch: Fetch,
  paths: Record<string, string>,
  text: string,
  usual: FaceName,
): Promise<Face> {
  const found = await face(fetch, paths, isJapanese(text) ? "kana" : usual);
  if (found.has(text)) return found;
  own ??= new Face("device", DEVICE, 800, null);
  return own;
}

/** The code points that a font file has a glyph for, of its table for the basic plane (format 4) or,
 * where there is one, for all planes (format 12). */
export function charactersOf(bytes: Uint8Array<ArrayBuffer>): Set<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Set<number>();
  const count = view.getUint16(4);
  for (let i = 0; i < count; i++) {
    const entry = 12 + 16 * i;
    if (String.fromCharCode(...bytes.subarray(entry, entry + 4)) !== "cmap") continue;
    const start = view.getUint32(entry + 8);
    for (let k = 0; k < view.getUint16(start + 2); k++) {
      readCmap(view, start + view.getUint32(start + 8 + 8 * k), found);
    }
  }
  return found;
}

function readCmap(view: DataView, at: number, found: Set<number>): void {
  const format = view.getUint16(at);
  if (format === 12) {
    for (let i = 0, group = at + 16; i < view.getUint32(at + 12); i++, group += 12) {
      for (let code = view.getUint32(group); code <= view.getUint32(group + 4); code++) found.add(code);
    }
  }
  if (format !== 4) return;
  const size = view.getUint16(at + 6); // twice the number of segments
  for (let i = 0; i < size; i += 2) {
    const last = view.getUint16(at + 14 + i);
    const first = view.getUint16(at + 16 + size + i);
    const delta = view.getUint16(at + 16 + 2 * size + i);
    const offsetAt = at + 16 + 3 * size + i;
    const offset = view.getUint16(offsetAt);
    for (let code = first; code <= last && code < 0xffff; code++) {
      const glyph = offset ? view.getUint16(offsetAt + offset + 2 * (code - first)) : code + delta;
      if (glyph & 0xffff) found.add(code);
    }
  }
}
