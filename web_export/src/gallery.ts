// The visitor's pictures: the newest first, kept on the shelf between visits.

import { columns } from "./labels";
import type { Manifest } from "./manifest";
import { eachStyle } from "./request";
import { toHash, type Settings } from "./settings";
import { Shelf } from "./shelf";
import { reason, type Shot, type Store } from "./state";

const KEPT = 200;

export class Gallery {
  private readonly shelf: Shelf;
  // Of all that are kept, since a new picture is compared with each of them, many times a second
  // while a finger drags.
  private readonly hashes = new WeakMap<Settings, string>();

  constructor(
    private readonly store: Store,
    folder: string,
  ) {
    this.shelf = new Shelf(folder, (error) => store.tell("notKept", { reason: reason(error) }, true));
  }

  private hash(settings: Settings, manifest: Manifest): string {
    const found = this.hashes.get(settings) ?? toHash(settings, manifest);
    this.hashes.set(settings, found);
    return found;
  }

  /** Whether two settings draw the same picture. */
  same(a: Settings, b: Settings | null): boolean {
    const { manifest } = this.store.state;
    if (!manifest || !b || a.model !== b.model) return false;
    return this.hash(a, manifest) === this.hash(b, manifest);
  }

  /** The kept picture of these settings. */
  find(settings: Settings): Shot | undefined {
    return this.store.state.history.find((shot) => this.same(shot.settings, settings));
  }

  /** Puts a picture first, `instead` of the one that is first, and of another of the same settings:
   * a favourite stays one. */
  collect(shot: Shot, instead = false): void {
    const { history } = this.store.state;
    const [newest, ...others] = history;
    const replaced = instead && newest && !newest.favourite;
    const left = replaced ? others : history;
    if (replaced) this.shelf.remove(newest.id);
    const twins = left.filter(({ id, settings }) => id === shot.id || this.same(settings, shot.settings));
    for (const { id } of twins) if (id !== shot.id) this.shelf.remove(id);
    const { large: _, ...first } = { ...shot, favourite: twins.some(({ favourite }) => favourite) };
    const all = [first, ...left.filter((one) => !twins.includes(one))];
    let room = KEPT;
    const kept = all.filter((one) => one.favourite || room-- > 0);
    for (const one of all) if (!kept.includes(one)) this.shelf.remove(one.id);
    this.shelf.put(first);
    this.store.set({ history: kept });
  }

  /** What was drawn before the page was opened. */
  async recall(): Promise<void> {
    const models = new Map(this.store.state.manifest?.models.map((model) => [model.name, model]));
    const fit = ({ settings, latent, labels }: Shot) => {
      const model = models.get(settings.model);
      const width = model && columns(model.fields).length;
      return model?.latentDim === latent.length && width === (labels?.length ?? 0) && Array.isArray(settings.vary);
    };
    // Those of earlier versions know no directions, no styles and no latents of their own.
    const whole = (old: Settings): Settings => ({
      ...old,
      latent: old.latent ?? null,
      move: old.move ?? {},
      styles: eachStyle(old.styles ?? {}, whole),
    });
    const known = ({ styles = {}, settings, ...shot }: Shot): Shot => ({
      ...shot,
      styles,
      settings: whole(settings),
    });
    const found = (await this.shelf.all()).filter(fit).map(known);
    const drawn = [...this.store.state.history].reverse();
    this.store.set({ history: found.filter(({ id }) => !drawn.some((shot) => shot.id === id)).reverse() });
    for (const shot of drawn) this.collect(shot); // that were drawn meanwhile
  }

  favour(shot: Shot, favourite: boolean): void {
    const { history, shot: shown } = this.store.state;
    this.shelf.put({ ...shot, favourite });
    const changed = (one: Shot) => (one.id === shot.id ? { ...one, favourite } : one);
    this.store.set({ history: history.map(changed), shot: shown && changed(shown) });
  }

  /** Forgets all pictures but the favourites. */
  forget(): void {
    const { history } = this.store.state;
    for (const { id, favourite } of history) if (!favourite) this.shelf.remove(id);
    this.store.set({ history: history.filter(({ favourite }) => favourite) });
  }
}
