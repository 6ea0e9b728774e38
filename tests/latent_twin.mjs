// Runs the site's own map from seeds to latents and labels, so that tests/test_latent.py can feed
// it JSON on standard input and compare.

import { example, labels, latent, seedOf, slerp, uniforms } from "../web_export/src/latent.js";

let text = "";
for await (const part of process.stdin) text += part;
// What is not known is null in JSON.
const known = (key, x) => (x === null ? NaN : x);
const answers = JSON.parse(text, known).map(({ seed, first, n, dim, truncation, fields, rows, given, names }) => {
  const indices = Array.from({ length: n }, (_, i) => first + i);
  const z = indices.map((i) => Array.from(latent(seed, i, dim, truncation)));
  return {
    seeds: names.map(seedOf),
    uniforms: indices.map((i) => uniforms(seed, i, dim)),
    latents: z,
    labels: indices.map((i) => labels(seed, i, fields)),
    examples: given.map((one) => indices.map((i) => example(seed, i, fields, rows, one))),
    slerp: [0, 0.25, 0.5, 0.9].map((t) => slerp(z[0], z[1], t)),
  };
});
console.log(JSON.stringify(answers));
