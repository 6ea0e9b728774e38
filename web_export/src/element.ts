// `<tfanime-face seed="7" hair="blue">`: a picture as an element of any page.

import * as check from "./check";
import { Generator, type Picture } from "./generator";
import type { Field, Tag, Tags } from "./labels";
import { seedOf } from "./latent.js";
import type { Request } from "./request";

const HOME = new URL(".", import.meta.url); // the exported folder, beside this module
const OWN = ["seed", "name", "index", "truncation", "model", "src", "small"]; // beside the model's attributes
const STYLE = ":host { display: inline-block; width: 256px } canvas { display: block; width: 100% }";

// Faces of one model share its generator, and draw in turns.
const generators = new Map<string, Promise<Generator>>();
let turn: Promise<unknown> = Promise.resolve();

function generatorOf(folder: URL, model: string | undefined): Promise<Generator> {
  const key = `${folder.href} ${model ?? ""}`;
  const found = generators.get(key) ?? Generator.load(folder, { model });
  generators.set(key, found);
  found.catch(() => generators.delete(key)); // so that the next face tries again
  return found;
}

function tagOf(text: string, { kind, name }: Field): Tag {
  if (kind === "group") return text;
  if (kind === "value") return Number(text);
  if (!["", "true", "false"].includes(text)) check.refuse(name, "true or false", text);
  return text !== "false";
}

/** A label's `_` may be written `-`. */
function spellings({ name }: Field): string[] {
  return [name.replaceAll("_", "-"), name];
}

/** What attributes of these names say. */
function given(face: HTMLElement, names: string[]): string {
  return JSON.stringify(names.map((name) => face.getAttribute(name)));
}

function number(text: string | null): number | undefined {
  return text === null ? undefined : Number(text);
}

/** What an element's attributes ask for. */
function requestOf(face: HTMLElement, fields: Field[]): Request {
  const name = face.getAttribute("name");
  const tags = fields.flatMap((field): [string, Tag][] => {
    const [dashed, plain] = spellings(field);
    const text = face.getAttribute(dashed) ?? face.getAttribute(plain);
    return text === null ? [] : [[field.name, tagOf(text, field)]];
  });
  return {
    seed: name === null ? number(face.getAttribute("seed")) : seedOf(name),
    index: number(face.getAttribute("index")),
    truncation: number(face.getAttribute("truncation")),
    tags: Object.fromEntries(tags) as Tags,
  };
}

function words({ tags }: Picture): string {
  const said = Object.entries(tags).filter(([, tag]) => tag !== false);
  return said.map(([name, tag]) => (tag === true ? name : `${tag} ${name}`).replaceAll("_", " ")).join(", ");
}

/** Makes the element known to the page. Workers, which load this module too, have none. */
export function defineFace(): void {
  if (typeof customElements === "undefined" || customElements.get("tfanime-face")) return;

  class Face extends HTMLElement {
    private readonly canvas = document.createElement("canvas");
    private seen = false;
    private run = 0;
    private asked = ""; // what attributes said when they were followed last
    private words = ""; // that describe the picture

    constructor() {
      super();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      root.append(this.canvas);
      this.canvas.setAttribute("role", "img");
      new MutationObserver(() => this.follow()).observe(this, { attributes: true });
      // A face that nobody sees costs nothing.
      const watch = new IntersectionObserver((found) => {
        if (this.seen || !found.some(({ isIntersecting }) => isIntersecting)) return;
        this.seen = true;
        watch.disconnect();
        this.follow();
      });
      watch.observe(this);
    }

    private follow(): void {
      if (!this.seen) return;
      const run = ++this.run;
      turn = turn.then(async () => {
        if (run !== this.run) return;
        try {
          await this.show();
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          this.dispatchEvent(new ErrorEvent("error", { error, message }));
          console.error(`tfanime-face: ${message}`);
        }
      });
    }

    /** Draws what is asked for, unless that was asked for last: a class or a style may change too, also by
     * whoever hears that a picture is drawn. */
    private async show(): Promise<void> {
      const last = this.asked;
      this.asked = given(this, OWN);
      if (this.asked === last) return this.describe();
      const folder = new URL(this.getAttribute("src") ?? HOME, document.baseURI);
      const generator = await generatorOf(folder, this.getAttribute("model") ?? undefined);
      this.asked = given(this, [...OWN, ...generator.fields.flatMap(spellings)]);
      if (this.asked === last) return this.describe();
      const picture = await generator.generate(requestOf(this, generator.fields));
      this.words = words(picture);
      this.paint(picture.imageData);
      this.describe();
      if (generator.model.upscaler && !this.hasAttribute("small")) {
        this.paint(await generator.upscale(picture));
      }
      this.dispatchEvent(new CustomEvent("draw", { detail: picture }));
    }

    private describe(): void {
      this.canvas.setAttribute("aria-label", this.getAttribute("alt") ?? this.words);
    }

    private paint(image: ImageData): void {
      this.canvas.width = image.width;
      this.canvas.height = image.height;
      this.canvas.getContext("2d")?.putImageData(image, 0, 0);
    }
  }
  customElements.define("tfanime-face", Face);
}
