// The site's 3x3 convolutions beside those of TensorFlow.js, one thread of WebAssembly, in Node.
//
//     node --experimental-wasm-relaxed-simd scripts/bench/bench_convolution.mjs
//
// Milliseconds of processor time, the least of eight rounds that go through all ways in turn: the package's kernel
// (XNNPACK); ours with the fused multiply-adds of relaxed SIMD, if Node has them (the flag is for Node 20), and without.
import { createRequire } from "node:module";

import { Winograd } from "../../web_export/src/winograd.js";
import { assembled } from "../../web_export/src/winograd-program.js";

const require = createRequire(new URL("../../web_export/package.json", import.meta.url));
const tf = require("@tensorflow/tfjs-core");
const wasm = require("@tensorflow/tfjs-backend-wasm");
wasm.setWasmPaths(new URL("dist/", `file://${require.resolve("@tensorflow/tfjs-backend-wasm/package.json")}`).pathname);
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
await tf.setBackend("wasm");
await tf.ready();

const SIDES = [
  [4, 256, 256, 8], // side, channels, outputs, repetitions
  [16, 64, 64, 20],
  [64, 16, 24, 8],
  [64, 48, 48, 3],
  [128, 64, 64, 1],
];
const programs = [true, false].map(assembled).filter((code) => WebAssembly.validate(code));
const engines = programs.map((code) => new Winograd(new WebAssembly.Module(code)));
for (const [side, channels, outputs, times] of SIDES) {
  const x = tf.randomNormal([1, side, side, channels]);
  const filter = tf.randomNormal([3, 3, channels, outputs]);
  const bias = tf.randomNormal([outputs]);
  const given = { x: x.dataSync(), bias: bias.dataSync(), slope: new Float32Array(outputs) };
  const sizes = { height: side, width: side, channels, outputs, y: new Float32Array(side * side * outputs) };
  const ways = [
    () => tf.fused.conv2d({ x, filter, bias, strides: 1, pad: "same", activation: "relu" }).dispose(),
    ...engines.map((engine) => {
      const kept = engine.filter(filter.dataSync(), channels, outputs);
      return () => engine.convolve({ ...given, ...sizes, filter: kept });
    }),
  ];
  const least = ways.map(() => Infinity);
  for (let round = 0; round < 8; round++) {
    for (const [i, way] of ways.entries()) {
      way();
      const before = process.cpuUsage();
      for (let j = 0; j < times; j++) way();
      const { user, system } = process.cpuUsage(before);
      least[i] = Math.min(least[i], (user + system) / times / 1000);
    }
  }
  const ratios = least.map((ms) => `${ms.toFixed(3)} (${(least[0] / ms).toFixed(2)}x)`);
  console.log(`${side}x${side}, ${channels} to ${outputs}:`, ratios.join("  "));
  for (const tensor of [x, filter, bias]) tensor.dispose();
}
