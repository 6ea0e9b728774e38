// Another thread for 3x3 convolutions (threads.ts). It loads nothing of TensorFlow.js.

import { help } from "./winograd-blocks";

addEventListener("message", ({ data: [code, memory] }: MessageEvent<[WebAssembly.Module, WebAssembly.Memory]>) =>
  help(code, memory),
);
