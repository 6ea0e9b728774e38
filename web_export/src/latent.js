// The map of docs/seeds.md: from a seed and a picture's number to its latents and labels.
//
// Plain JavaScript with its types in comments, because tests/latent_twin.mjs runs this very file
// in Node and compares it with tfanime/core/seeds.py.

/**
 * @typedef {object} Field
 * @property {string} name what users type: "hair", "smile"
 * @property {"group" | "flag" | "value"} kind
 * @property {string[]} values names of a group's values, in column order
 * @property {number[]} frequencies as docs/seeds.md, section 4; empty if unknown
 * @property {number} low range of a value, in its own unit
 * @property {number} high
 */

export const SEEDS = 2 ** 53 - 1; // the largest
export const PICTURES = 2 ** 32 - 1;

const WORD = 2 ** 32;
const LATENTS = 0;
const LABELS = 0x80000000;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

/**
 * Threefry-2x32 with 20 rounds.
 * @param {number[]} key two words
 * @param {number[]} counter two words
 * @returns {[number, number]}
 */
export function threefry(key, counter) {
  const words = [key[0], key[1], 0x1bd11bda ^ key[0] ^ key[1]];
  let x0 = (counter[0] + words[0]) >>> 0;
  let x1 = (counter[1] + words[1]) >>> 0;
  for (let turn = 0; turn < 20; turn++) {
    const r = ROTATIONS[turn % 8];
    x0 = (x0 + x1) >>> 0;
    x1 = (((x1 << r) | (x1 >>> (32 - r))) ^ x0) >>> 0;
    if (turn % 4 === 3) {
      const s = (turn + 1) / 4;
      x0 = (x0 + words[s % 3]) >>> 0;
      x1 = (x1 + words[(s + 1) % 3] + s) >>> 0;
    }
  }
  return [x0, x1];
}

/**
 * @param {number} seed 0 <= seed < 2^53
 * @param {number} index 0 <= index < 2^32
 * @param {number} k how many
 * @param {number} stream
 * @returns {number[]} strictly between 0 and 1
 */
export function uniforms(seed, index, k, stream = LATENTS) {
  const key = [seed % WORD, Math.floor(seed / WORD)];
  const found = [];
  for (let block = 0; found.length < k; block++) {
    for (const x of threefry(key, [stream + block, index])) found.push(((x >>> 8) + 0.5) / 2 ** 24);
  }
  return found.slice(0, k);
}

/**
 * The seed of a text, such as a name.
 * @param {string} text
 * @returns {number} 0 <= seed < 2^53
 */
export function seedOf(text) {
  const plain = text.normalize("NFKC").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const bytes = [...new TextEncoder().encode(plain), 0x80];
  while (bytes.length % 8) bytes.push(0);
  const word = (/** @type {number} */ at) =>
    (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  let [low, high] = [0, 0];
  for (let at = 0; at < bytes.length; at += 8) {
    const block = [word(at), word(at + 4)];
    const [x0, x1] = threefry([low, high], block);
    [low, high] = [(x0 ^ block[0]) >>> 0, (x1 ^ block[1]) >>> 0];
  }
  return (high % 2 ** 21) * WORD + low;
}

/**
 * Independent standard normal numbers, times the truncation.
 * @param {number} seed
 * @param {number} index
 * @param {number} dim
 * @param {number} truncation 0 to 2
 * @returns {Float32Array<ArrayBuffer>}
 */
export function latent(seed, index, dim, truncation = 1) {
  const u = uniforms(seed, index, dim + (dim % 2), LATENTS);
  const z = new Float32Array(u.length);
  for (let i = 0; i < z.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(u[i]));
    const angle = 2 * Math.PI * u[i + 1];
    z[i] = radius * Math.cos(angle);
    z[i + 1] = radius * Math.sin(angle);
  }
  return z.slice(0, dim).map((x) => x * Math.fround(truncation));
}

/**
 * @param {Field} field
 * @returns {number[]}
 */
function frequencies(field) {
  if (field.frequencies.length) return field.frequencies;
  if (field.kind === "group") return field.values.map(() => 1 / field.values.length);
  if (field.kind === "flag") return [0.25];
  return Array.from({ length: 17 }, (_, i) => i / 16);
}

/**
 * One row of labels in 0/1 coding, drawn from the fields' frequencies.
 * @param {number} seed
 * @param {number} index
 * @param {Field[]} fields
 * @returns {number[]}
 */
export function labels(seed, index, fields) {
  const u = uniforms(seed, index, fields.length, LABELS);
  return fields.flatMap((field, f) => {
    const table = frequencies(field);
    if (field.kind === "flag") return [u[f] < table[0] ? 1 : 0];
    if (field.kind === "group") {
      const total = table.reduce((sum, p) => sum + p, 0);
      let edge = 0;
      let chosen = 0;
      for (const p of table.slice(0, -1)) {
        edge += p / total;
        if (u[f] >= edge) chosen++;
      }
      return table.map((_, value) => (value === chosen ? 1 : 0));
    }
    const steps = table.length - 1;
    const j = Math.floor(u[f] * steps);
    return [Math.fround((table[j + 1] - table[j]) * steps * (u[f] - j / steps) + table[j])];
  });
}

/**
 * One of a model's own rows of labels: of those nearest to what is given, by the sum of absolute
 * differences, the one that the label stream's last number says.
 * @param {number} seed
 * @param {number} index
 * @param {Field[]} fields
 * @param {ArrayLike<number>[]} rows at least one; NaN for "not known"
 * @param {ArrayLike<number>} given a row; NaN for "not asked for"
 * @returns {ArrayLike<number>}
 */
export function example(seed, index, fields, rows, given) {
  const u = uniforms(seed, index, fields.length, LABELS)[fields.length - 1];
  const apart = rows.map((row) => {
    let sum = 0;
    for (let i = 0; i < given.length; i++) {
      const difference = Math.abs(row[i] - given[i]);
      if (!Number.isNaN(difference)) sum += difference;
    }
    return sum;
  });
  const least = apart.reduce((a, b) => Math.min(a, b)) + 1e-6;
  const near = rows.filter((_, i) => apart[i] <= least);
  return near[Math.floor(u * near.length)];
}

/**
 * The straight line from `a` to `b`.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @param {number} t 0 at `a`, 1 at `b`
 * @returns {number[]}
 */
export function lerp(a, b, t) {
  return Array.from(a, (v, i) => (1 - t) * v + t * b[i]);
}

/**
 * The arc from `a` to `b`: direction by Shoemake's formula, length by a straight line.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @param {number} t 0 at `a`, 1 at `b`
 * @returns {number[]}
 */
export function slerp(a, b, t) {
  const norm = (/** @type {number[]} */ x) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  const [from, to] = [Array.from(a), Array.from(b)];
  const [la, lb] = [norm(from), norm(to)];
  if (Math.min(la, lb) === 0) return lerp(from, to, t);
  const [ua, ub] = [from.map((v) => v / la), to.map((v) => v / lb)];
  const apart = norm(ua.map((v, i) => v - ub[i]));
  const angle = 2 * Math.atan2(apart, norm(ua.map((v, i) => v + ub[i])));
  if (Math.sin(angle) < 1e-6) return lerp(from, to, t);
  const [wa, wb] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
  const scale = ((1 - t) * la + t * lb) / Math.sin(angle);
  return ua.map((v, i) => scale * (wa * v + wb * ub[i]));
}
