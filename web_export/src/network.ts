// One exported graph on one backend.

import { type GraphModel, loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";

import { type Backend, start } from "./backends";
import * as check from "./check";
import type { Model, Upscaler } from "./manifest";

export interface Feed {
  name: string;
  shape: number[];
  values: Float32Array;
}

export interface Output {
  shape: number[];
  values: Float32Array<ArrayBuffer>;
}

function artifacts(entry: Model | Upscaler, files: Map<string, Uint8Array>): tf.io.ModelArtifacts {
  const source = new TextDecoder().decode(files.get(entry.graph));
  const graph = check.object(check.parse(source, entry.graph), entry.graph);
  const at = `${entry.graph}: weightsManifest`;
  const folder = entry.graph.split("/").slice(0, -1);
  const specs: tf.io.WeightsManifestEntry[] = [];
  const shards: Uint8Array[] = [];
  for (const [i, found] of check.list(graph.weightsManifest, at, 10_000).entries()) {
    const group = check.object(found, `${at}[${i}]`);
    specs.push(...(check.list(group.weights, at, 100_000) as tf.io.WeightsManifestEntry[]));
    for (const name of check.list(group.paths, `${at}[${i}].paths`, 10_000)) {
      const shard = files.get([...folder, name].join("/"));
      if (!shard) check.refuse(`${at}[${i}].paths`, "a list of files that tfanime.json names", name);
      shards.push(shard);
    }
  }
  const weightData = new Uint8Array(shards.reduce((sum, shard) => sum + shard.length, 0));
  let end = 0;
  for (const shard of shards) weightData.set(shard, (end += shard.length) - shard.length);
  return {
    modelTopology: check.object(graph.modelTopology, `${entry.graph}: modelTopology`),
    weightSpecs: specs,
    weightData: weightData.buffer,
    signature: graph.signature as object | undefined,
    format: "graph-model",
  };
}

export class Network {
  private constructor(
    private readonly graph: GraphModel,
    readonly backend: Backend,
    private readonly output: string,
  ) {}

  static async open(
    entry: Model | Upscaler,
    files: Map<string, Uint8Array>,
    backend: Backend,
  ): Promise<Network> {
    await start(backend);
    const parts = artifacts(entry, files);
    return new Network(await loadGraphModel({ load: async () => parts }), backend, entry.output);
  }

  async run(feeds: Feed[]): Promise<Output> {
    await start(this.backend);
    const inputs = Object.fromEntries(
      feeds.map((feed) => [feed.name, tf.tensor(feed.values, feed.shape, "float32")]),
    );
    let output: tf.Tensor | undefined;
    try {
      output = this.graph.execute(inputs, this.output) as tf.Tensor;
      return { shape: output.shape, values: Float32Array.from(await output.data()) };
    } finally {
      tf.dispose(inputs);
      output?.dispose();
    }
  }

  dispose(): void {
    this.graph.dispose();
  }
}
