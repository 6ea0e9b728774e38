// Convolves what standard input asks for with the site's own code, in Node; see test_winograd.py.
import { readFileSync } from "node:fs";

import { Winograd } from "../web_export/src/winograd.js";
import { assembled } from "../web_export/src/winograd-program.js";

const questions = JSON.parse(readFileSync(0));
const answers = {};
for (const relaxed of [false, true]) {
  const code = assembled(relaxed);
  if (!WebAssembly.validate(code)) continue; // relaxed SIMD: Node 20 has none
  const winograd = new Winograd(new WebAssembly.Module(code));
  answers[relaxed ? "relaxed" : "plain"] = questions.map((asked) => {
    const { height, width, channels, outputs } = asked;
    const [x, kernel, bias, slope] = ["x", "kernel", "bias", "slope"].map((name) => Float32Array.from(asked[name]));
    const y = new Float32Array(height * width * outputs).fill(NaN);
    const filter = winograd.filter(kernel, channels, outputs);
    winograd.convolve({ x, height, width, channels, outputs, filter, bias, slope, y });
    winograd.giveBack(filter, Winograd.lengthOf(channels, outputs));
    return [...y];
  });
}
console.log(JSON.stringify(answers));
