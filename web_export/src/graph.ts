// The graphs that exports consist of, computed with tfjs-core alone. A graph with any other
// operation goes to tfjs-converter (network.ts), which knows them all and is ten times the size.

import {
  add,
  avgPool,
  clone,
  concat,
  conv2d,
  depthToSpace,
  dispose,
  fused,
  leakyRelu,
  matMul,
  mul,
  prelu,
  relu,
  reshape,
  reverse,
  sigmoid,
  slice,
  stridedSlice,
  sub,
  tanh,
  type Tensor,
  type Tensor4D,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import { resizeBilinear } from "@tensorflow/tfjs-core/dist/ops/image/resize_bilinear";
import { resizeNearestNeighbor } from "@tensorflow/tfjs-core/dist/ops/image/resize_nearest_neighbor";

import * as check from "./check";

/** Attributes of a node, as JSON writes those of a TensorFlow GraphDef. */
class Attributes {
  constructor(private readonly given: check.Json) {}

  private value(name: string, kind: string): unknown {
    return (this.given[name] as check.Json | undefined)?.[kind];
  }

  number(name: string): number {
    return Number(this.value(name, "i") ?? this.value(name, "f") ?? 0);
  }

  flag(name: string): boolean {
    return this.value(name, "b") === true;
  }

  text(name: string): string {
    return atob(String(this.value(name, "s") ?? ""));
  }

  numbers(name: string): number[] {
    return this.list(name, "i").map(Number);
  }

  texts(name: string): string[] {
    return this.list(name, "s").map((text) => atob(String(text)));
  }

  private list(name: string, kind: string): unknown[] {
    return ((this.value(name, "list") as check.Json | undefined)?.[kind] as unknown[]) ?? [];
  }
}

interface Step {
  name: string;
  operation: Operation;
  inputs: string[];
  attributes: Attributes;
  /** Results that no later step takes. */
  last: string[];
}

type Operation = (given: Tensor[], attributes: Attributes) => Tensor;

function numbers(tensor: Tensor): number[] {
  return Array.from(tensor.dataSync());
}

type Padding = "same" | "valid" | [[0, 0], [number, number], [number, number], [0, 0]];

function convolution(attributes: Attributes) {
  const named = attributes.text("padding").toLowerCase();
  const around = attributes.numbers("explicit_paddings");
  const explicit = [0, 2, 4, 6].map((i) => [around[i], around[i + 1]]);
  const [, ...strides] = attributes.numbers("strides").slice(0, 3);
  const [, ...dilations] = attributes.numbers("dilations").slice(0, 3);
  return {
    strides: strides as [number, number],
    pad: (named === "explicit" ? explicit : named) as Padding,
    dataFormat: "NHWC" as const,
    dilations: dilations as [number, number],
  };
}

const ACTIVATIONS = ["linear", "relu", "leakyrelu", "prelu", "sigmoid"] as const;

/** What is computed in one go with a product: a bias, then an activation. */
function epilogue(attributes: Attributes, [bias, alpha]: Tensor[]) {
  const name = attributes.texts("fused_ops")[1]?.toLowerCase() ?? "linear";
  return {
    bias,
    activation: name as (typeof ACTIVATIONS)[number],
    preluActivationWeights: alpha,
    leakyreluAlpha: attributes.number("leakyrelu_alpha"),
  };
}

const sum: Operation = ([a, b]) => add(a, b);

const OPERATIONS: Record<string, Operation> = {
  Add: sum,
  AddV2: sum,
  AvgPool: ([x], attributes) => {
    const [, ...size] = attributes.numbers("ksize").slice(0, 3);
    const [, ...strides] = attributes.numbers("strides").slice(0, 3);
    const named = attributes.text("padding").toLowerCase() as "same" | "valid";
    return avgPool(x as Tensor4D, size as [number, number], strides as [number, number], named);
  },
  BiasAdd: sum,
  ConcatV2: (given) => concat(given.slice(0, -1), numbers(given[given.length - 1])[0]),
  Conv2D: ([x, filter], attributes) => {
    const { strides, pad, dataFormat, dilations } = convolution(attributes);
    return conv2d(x as Tensor4D, filter as Tensor4D, strides, pad, dataFormat, dilations);
  },
  DepthToSpace: ([x], attributes) => depthToSpace(x as Tensor4D, attributes.number("block_size")),
  Identity: ([x]) => clone(x),
  LeakyRelu: ([x], attributes) => leakyRelu(x, attributes.number("alpha")),
  MatMul: ([a, b], attributes) =>
    matMul(a, b, attributes.flag("transpose_a"), attributes.flag("transpose_b")),
  Mul: ([a, b]) => mul(a, b),
  Prelu: ([x, alpha]) => prelu(x, alpha),
  Relu: ([x]) => relu(x),
  Reshape: ([x, shape]) => reshape(x, numbers(shape)),
  ResizeBilinear: ([x, size], attributes) =>
    resizeBilinear(
      x as Tensor4D,
      numbers(size) as [number, number],
      attributes.flag("align_corners"),
      attributes.flag("half_pixel_centers"),
    ),
  ResizeNearestNeighbor: ([x, size], attributes) =>
    resizeNearestNeighbor(
      x as Tensor4D,
      numbers(size) as [number, number],
      attributes.flag("align_corners"),
      attributes.flag("half_pixel_centers"),
    ),
  ReverseV2: ([x, axes]) => reverse(x, numbers(axes)),
  Shape: ([x]) => tensor1d(x.shape, "int32"),
  Sigmoid: ([x]) => sigmoid(x),
  Slice: ([x, begin, size]) => slice(x, numbers(begin), numbers(size)),
  StridedSlice: ([x, begin, end, strides], attributes) =>
    stridedSlice(
      x,
      numbers(begin),
      numbers(end),
      numbers(strides),
      attributes.number("begin_mask"),
      attributes.number("end_mask"),
      attributes.number("ellipsis_mask"),
      attributes.number("new_axis_mask"),
      attributes.number("shrink_axis_mask"),
    ),
  Sub: ([a, b]) => sub(a, b),
  Tanh: ([x]) => tanh(x),
  _FusedConv2D: ([x, filter, ...others], attributes) =>
    fused.conv2d({
      x: x as Tensor4D,
      filter: filter as Tensor4D,
      ...convolution(attributes),
      ...epilogue(attributes, others),
    }),
  _FusedMatMul: ([a, b, ...others], attributes) =>
    fused.matMul({
      a,
      b,
      transposeA: attributes.flag("transpose_a"),
      transposeB: attributes.flag("transpose_b"),
      ...epilogue(attributes, others),
    }),
};

/** `name:0` is the first result of `name`, and no step here has another. */
function plain(name: string): string {
  return name.replace(/:0$/, "");
}

/** Steps without a result of their own: weights, and what the caller gives. */
const GIVEN = ["Const", "Placeholder"];

interface Node {
  op: string;
  inputs: string[];
  attributes: Attributes;
}

function nodes(topology: check.Json, at: string): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const [i, entry] of check.list(topology.node, `${at}.node`, 100_000).entries()) {
    const place = `${at}.node[${i}]`;
    const node = check.object(entry, place);
    const inputs = check.list(node.input ?? [], `${place}.input`, 1000);
    found.set(check.text(node.name, `${place}.name`, 1000), {
      op: check.text(node.op, `${place}.op`),
      inputs: inputs.map((name) => check.text(name, `${place}.input`, 1000)),
      attributes: new Attributes(check.object(node.attr ?? {}, `${place}.attr`)),
    });
  }
  return found;
}

function computable({ op, attributes }: Node): boolean {
  if (!op.startsWith("_Fused")) return GIVEN.includes(op) || Object.hasOwn(OPERATIONS, op);
  const [first, activation = "linear", ...others] = attributes
    .texts("fused_ops")
    .map((name) => name.toLowerCase());
  const known = (ACTIVATIONS as readonly string[]).includes(activation);
  return Object.hasOwn(OPERATIONS, op) && first === "biasadd" && known && !others.length;
}

/** The steps that lead to some, in an order in which they can be computed. */
function leading(found: Map<string, Node>, outputs: string[]): Step[] {
  const steps: Step[] = [];
  const done = new Set<string>();
  const visit = (name: string, above: Set<string>): void => {
    if (done.has(name)) return;
    const node = found.get(name);
    if (!node || above.has(name)) check.refuse("An input", "a step that comes before", name);
    const inputs = node.inputs.map(plain);
    above.add(name);
    for (const input of inputs) visit(input, above);
    above.delete(name);
    done.add(name);
    if (GIVEN.includes(node.op)) return;
    const { attributes } = node;
    steps.push({ name, operation: OPERATIONS[node.op], inputs, attributes, last: [] });
  };
  for (const output of outputs) visit(output, new Set());
  const computed = new Set(steps.map(({ name }) => name));
  const taken = new Set(outputs);
  for (const step of [...steps].reverse()) {
    step.last = [...new Set(step.inputs)].filter((name) => computed.has(name) && !taken.has(name));
    for (const name of step.last) taken.add(name);
  }
  return steps;
}

export class Graph {
  private constructor(
    private readonly found: Map<string, Node>,
    private readonly steps: Step[],
    private readonly weights: Map<string, Tensor>,
    private readonly output: string,
  ) {}

  /** The graph that leads to `output`, or null if it needs more than there is here. */
  static of(
    topology: check.Json,
    output: string,
    weights: () => Record<string, Tensor>,
  ): Graph | null {
    const found = nodes(topology, "modelTopology");
    if (![...found.values()].every(computable)) return null;
    const steps = leading(found, [plain(output)]);
    return new Graph(found, steps, new Map(Object.entries(weights())), plain(output));
  }

  /** Computes the output from the inputs, by their names. What other steps would compute may be given
   * too. */
  execute(inputs: Record<string, Tensor>): Tensor {
    return this.compute(inputs, this.steps, [this.output])[0];
  }

  /** What single steps make of the inputs. */
  inside(inputs: Record<string, Tensor>, steps: string[]): Tensor[] {
    return this.compute(inputs, leading(this.found, steps), steps);
  }

  private compute(inputs: Record<string, Tensor>, steps: Step[], outputs: string[]): Tensor[] {
    return tidy(() => {
      const known = new Map(this.weights);
      for (const [name, value] of Object.entries(inputs)) known.set(plain(name), value);
      const result = (name: string): Tensor =>
        known.get(name) ?? check.refuse("An input", "a weight or a result", name);
      for (const step of steps) {
        if (known.has(step.name)) continue;
        known.set(step.name, step.operation(step.inputs.map(result), step.attributes));
        // Early: results of the last steps are large.
        for (const name of step.last) result(name).dispose();
      }
      return outputs.map(result);
    });
  }

  dispose(): void {
    dispose([...this.weights.values()]);
  }
}
