// The page's side of the worker.

import workerAddress from "virtual:worker";
import type { Methods, News } from "./worker";

type Answer = { id: number; result?: unknown; error?: string };
type Waiting = { resolve: (result: never) => void; reject: (error: Error) => void };

export class Engine {
  private readonly worker = new Worker(workerAddress, { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
  /** Hears what the worker tells unasked. */
  onNews: (news: News) => void = () => {};

  constructor() {
    this.worker.addEventListener("message", ({ data }: MessageEvent<Answer | News>) => {
      if ("event" in data) return this.onNews(data);
      const call = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error === undefined) call?.resolve(data.result as never);
      else call?.reject(new Error(data.error));
    });
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      for (const call of this.waiting.values()) {
        call.reject(new Error(event.message || "the worker could not be started"));
      }
      this.waiting.clear();
    });
  }

  call<M extends keyof Methods>(
    method: M,
    ...args: Parameters<Methods[M]>
  ): Promise<Awaited<ReturnType<Methods[M]>>> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, method, args });
    });
  }

  stop(): void {
    this.worker.terminate();
  }
}
