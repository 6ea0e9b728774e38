// One exported graph on one backend.

import { dispose, type io, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { decodeWeights } from "@tensorflow/tfjs-core/dist/io/io_utils";

import { type Backend, using } from "./backends";
import * as check from "./check";
import type { Converted } from "./converted";
import { Graph } from "./graph";

export interface Feed {
  name: string;
  shape: number[];
  values: Float32Array;
}

/** What some steps make of other feeds, which stands in the place of what they would compute. */
export interface Styled {
  steps: string[];
  feeds: Feed[];
}

export interface Output {
  shape: number[];
  values: Float32Array<ArrayBuffer>;
}

/** What an entry of tfanime.json says of a graph. */
interface Entry {
  graph: string;
  output: string;
}

interface Parts {
  modelTopology: check.Json;
  weightSpecs: io.WeightsManifestEntry[];
  weightData: ArrayBuffer;
  signature?: object;
}

function tensors(feeds: Feed[]): Record<string, Tensor> {
  return Object.fromEntries(
    feeds.map((feed) => [feed.name, tensor(feed.values, feed.shape, "float32")]),
  );
}

function parts(entry: Entry, files: Map<string, Uint8Array>): Parts {
  const source = new TextDecoder().decode(files.get(entry.graph));
  const graph = check.object(check.parse(source, entry.graph), entry.graph);
  const at = `${entry.graph}: weightsManifest`;
  const folder = entry.graph.split("/").slice(0, -1);
  const specs: io.WeightsManifestEntry[] = [];
  const shards: Uint8Array[] = [];
  for (const [i, found] of check.list(graph.weightsManifest, at, 10_000).entries()) {
    const group = check.object(found, `${at}[${i}]`);
    specs.push(...(check.list(group.weights, at, 100_000) as io.WeightsManifestEntry[]));
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
  };
}

export class Network {
  private constructor(
    private readonly graph: Graph | Converted,
    readonly backend: Backend,
  ) {}

  static async open(
    entry: Entry,
    files: Map<string, Uint8Array>,
    backend: Backend,
  ): Promise<Network> {
    const read = parts(entry, files);
    const graph = await using(backend, async () => {
      const ours = Graph.of(read.modelTopology, entry.output, () =>
        decodeWeights(read.weightData, read.weightSpecs),
      );
      if (ours) return ours;
      const { convertedGraph } = await import("./converted");
      return convertedGraph({ ...read, format: "graph-model" }, entry.output);
    });
    return new Network(graph, backend);
  }

  async run(feeds: Feed[], styled: Styled[] = []): Promise<Output> {
    const output = await using(this.backend, () => {
      const inputs = tensors(feeds);
      try {
        for (const { steps, feeds } of styled) {
          const others = tensors(feeds);
          try {
            const made = this.graph.inside(others, steps);
            for (const [i, step] of steps.entries()) inputs[step] = made[i];
          } finally {
            dispose(others);
          }
        }
        return this.graph.execute(inputs);
      } finally {
        dispose(inputs);
      }
    });
    try {
      return { shape: output.shape, values: (await output.data()).slice() as Float32Array<ArrayBuffer> };
    } finally {
      output.dispose();
    }
  }

  dispose(): void {
    this.graph.dispose();
  }
}
