// Pictures that outlive the page: in the browser's own database, on this device only.

import type { Shot } from "./state";

const DATABASE = "tfanime";
const STORE = "pictures";

interface Row extends Shot {
  folder: string;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Where storage is forbidden, as in private windows, pictures last until the page is closed. */
async function open(): Promise<IDBDatabase | null> {
  try {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: ["folder", "id"] });
    return await done(request);
  } catch {
    return null;
  }
}

const PAUSE = 200; // ms: of a slider's pictures only the one that it stops at is written

export class Shelf {
  private opening: ReturnType<typeof open> | null = null;
  private readonly waiting = new Map<number, Shot>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `folder`: the site's address; another site of the same origin has pictures of its own. */
  constructor(
    private readonly folder: string,
    private readonly report: (error: unknown) => void,
  ) {
    addEventListener("pagehide", () => this.write());
  }

  private get database(): ReturnType<typeof open> {
    return (this.opening ??= open());
  }

  private async change(work: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const database = await this.database;
    if (!database) return;
    try {
      await done(work(database.transaction(STORE, "readwrite").objectStore(STORE)));
    } catch (error) {
      this.report(error); // a full disk
    }
  }

  put(shot: Shot): void {
    this.waiting.set(shot.id, shot);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), PAUSE);
  }

  private write(): void {
    for (const shot of this.waiting.values()) {
      void this.change((store) => store.put({ ...shot, folder: this.folder } satisfies Row));
    }
    this.waiting.clear();
  }

  remove(id: number): void {
    if (this.waiting.delete(id)) return;
    void this.change((store) => store.delete([this.folder, id]));
  }

  /** All of them, the oldest first. */
  async all(): Promise<Shot[]> {
    const database = await this.database;
    if (!database) return [];
    const range = IDBKeyRange.bound([this.folder, 0], [this.folder, Infinity]);
    const store = database.transaction(STORE).objectStore(STORE);
    return done<Row[]>(store.getAll(range)).catch(() => []);
  }
}
