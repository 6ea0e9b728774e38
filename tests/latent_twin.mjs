// The map of docs/seeds.md written again, without a library, to prove that a browser draws the
// same latents and labels. tests/test_latent.py feeds it JSON on standard input and compares.

const WORD = 2 ** 32;
const LATENTS = 0;
const LABELS = 0x80000000;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];

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

export function uniforms(seed, index, k, stream) {
  const key = [seed % WORD, Math.floor(seed / WORD)];
  const found = [];
  for (let block = 0; found.length < k; block++) {
    for (const x of threefry(key, [stream + block, index])) found.push(((x >>> 8) + 0.5) / 2 ** 24);
  }
  return found.slice(0, k);
}

export function latent(seed, index, dim, truncation = 1) {
  const u = uniforms(seed, index, dim + (dim % 2), LATENTS);
  const z = new Float32Array(dim + (dim % 2));
  for (let i = 0; i < z.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(u[i]));
    const angle = 2 * Math.PI * u[i + 1];
    z[i] = radius * Math.cos(angle);
    z[i + 1] = radius * Math.sin(angle);
  }
  return z.slice(0, dim).map((x) => x * Math.fround(truncation));
}

function frequencies(field) {
  if (field.frequencies.length) return field.frequencies;
  if (field.kind === "group") return field.values.map(() => 1 / field.values.length);
  if (field.kind === "flag") return [0.25];
  return Array.from({ length: 17 }, (_, i) => i / 16);
}

// One row in 0/1 coding.
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

export function slerp(a, b, t) {
  const norm = (x) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  const [la, lb] = [norm(a), norm(b)];
  const straight = a.map((v, i) => (1 - t) * v + t * b[i]);
  if (Math.min(la, lb) === 0) return straight;
  const [ua, ub] = [a.map((v) => v / la), b.map((v) => v / lb)];
  const apart = norm(ua.map((v, i) => v - ub[i]));
  const angle = 2 * Math.atan2(apart, norm(ua.map((v, i) => v + ub[i])));
  if (Math.sin(angle) < 1e-6) return straight;
  const [wa, wb] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
  const scale = ((1 - t) * la + t * lb) / Math.sin(angle);
  return ua.map((v, i) => scale * (wa * v + wb * ub[i]));
}

let text = "";
for await (const part of process.stdin) text += part;
const answers = JSON.parse(text).map(({ seed, first, n, dim, truncation, fields }) => {
  const indices = Array.from({ length: n }, (_, i) => first + i);
  const z = indices.map((i) => Array.from(latent(seed, i, dim, truncation)));
  return {
    uniforms: indices.map((i) => uniforms(seed, i, dim, LATENTS)),
    latents: z,
    labels: indices.map((i) => labels(seed, i, fields)),
    slerp: [0, 0.25, 0.5, 0.9].map((t) => slerp(z[0], z[1], t)),
  };
});
console.log(JSON.stringify(answers));
