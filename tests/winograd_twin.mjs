// Convolves what standard input asks for with the site's own code, in Node; see test_winograd.py.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";

import { help } from "../web_export/src/winograd-blocks.js";
import { Winograd } from "../web_export/src/winograd.js";
import { assembled, PAGES } from "../web_export/src/winograd-program.js";

if (!isMainThread) help(...workerData); // and never returns

/** With three other threads, which compute all but what is a single block. */
async function shared() {
  const code = new WebAssembly.Module(assembled(false, true));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared: true });
  const winograd = new Winograd(code, memory, 4);
  for (let i = 0; i < 3; i++) new Worker(new URL(import.meta.url), { workerData: [code, memory] });
  while (winograd.threads < 4) await setTimeout(5);
  winograd.work = function () {
    if (Atomics.load(this.shared, 0) === 1) Winograd.prototype.work.call(this);
  };
  return winograd;
}

const ways = { plain: () => new Winograd(new WebAssembly.Module(assembled(false))), shared };
// Node 20 has no relaxed SIMD.
if (WebAssembly.validate(assembled(true))) {
  ways.relaxed = () => new Winograd(new WebAssembly.Module(assembled(true)));
}
const questions = JSON.parse(readFileSync(0));
const answers = {};
for (const [name, start] of Object.entries(ways)) {
  const winograd = await start();
  answers[name] = questions.map((asked) => {
    const { height, width, channels, outputs } = asked;
    const [x, kernel, bias, slope] = ["x", "kernel", "bias", "slope"].map((name) => Float32Array.from(asked[name]));
    const y = new Float32Array(height * width * outputs).fill(NaN);
    const filter = winograd.filter(kernel, channels, outputs);
    winograd.convolve({ x, height, width, channels, outputs, filter, bias, slope, y });
    winograd.giveBack(filter, Winograd.lengthOf(channels, outputs));
    return [...y];
  });
}
process.stdout.write(JSON.stringify(answers), () => process.exit());
