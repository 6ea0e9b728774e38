// Runs an exported model with tfjs, as a browser does.
//
//     node run_model.mjs NODE_MODULES BACKEND SITE ENTRY.json INPUTS.json OUT
//
// ENTRY is a model of tfanime.json; INPUTS maps the graph's input names to {shape, values}. OUT
// gets the output's float32 numbers; its shape and the milliseconds of a run are printed.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, backend, site, entryFile, inputsFile, out, runs] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const tf = require("@tensorflow/tfjs-core");
const { loadGraphModel } = require("@tensorflow/tfjs-converter");
const loaded = require(`@tensorflow/tfjs-backend-${backend}`);
if (backend === "wasm") loaded.setWasmPaths(join(modules, "@tensorflow/tfjs-backend-wasm/dist/"));
await tf.setBackend(backend);
await tf.ready();

const entry = JSON.parse(readFileSync(entryFile));
const json = JSON.parse(readFileSync(join(site, entry.graph)));
const folder = entry.graph.split("/").slice(0, -1).join("/");
const specs = json.weightsManifest.flatMap((group) => group.weights);
const shards = json.weightsManifest.flatMap((group) => group.paths);
const data = Buffer.concat(shards.map((name) => readFileSync(join(site, folder, name))));
const model = await loadGraphModel({
  load: async () => ({
    modelTopology: json.modelTopology,
    signature: json.signature,
    weightSpecs: specs,
    weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.length),
  }),
});
const given = Object.entries(JSON.parse(readFileSync(inputsFile)));
const inputs = Object.fromEntries(
  given.map(([name, { shape, values }]) => [name, tf.tensor(values, shape, "float32")]),
);
let output = model.execute(inputs, entry.output);
writeFileSync(out, Buffer.from((await output.data()).buffer.slice(0)));
const times = [];
for (let i = 0; i < Number(runs ?? 0); i += 1) {
  const start = performance.now();
  output.dispose();
  output = model.execute(inputs, entry.output);
  await output.data();
  times.push(performance.now() - start);
}
console.log(JSON.stringify({ shape: output.shape, milliseconds: times }));
