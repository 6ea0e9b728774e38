// Threads for 3x3 convolutions, where the page is cross-origin isolated: only then do browsers let them share memory.
// Everywhere else, and where they do not start, one thread computes, and draws the same.

import helperAddress from "virtual:helper";
import { Winograd } from "./winograd";
import { PAGES, program } from "./winograd-program";

const MOST = 4; // more would wait for the parts between the convolutions, and for memory

function several(): Winograd | null {
  const most = Math.min(MOST, navigator.hardwareConcurrency || 1);
  if (!globalThis.crossOriginIsolated || most < 2) return null;
  const code = program(true);
  if (!code) return null;
  const helpers: Worker[] = [];
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared: true });
    const winograd = new Winograd(code, memory, most);
    while (helpers.length < most - 1) {
      const helper = new Worker(helperAddress, { type: "module" });
      helpers.push(helper);
      helper.addEventListener("error", (event) => event.preventDefault());
      helper.postMessage([code, memory]);
    }
    return winograd;
  } catch {
    // No room for such a memory, or a page of elsewhere whose policy allows no workers of this folder.
    for (const helper of helpers) helper.terminate();
    return null;
  }
}

/** What computes 3x3 convolutions, with as many threads as there are; null without SIMD. */
export function engine(): Winograd | null {
  const shared = several();
  if (shared) return shared;
  const code = program();
  return code && new Winograd(code);
}
