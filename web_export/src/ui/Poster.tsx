import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import {
  mostSymmetrical,
  type Figure,
  facesOf,
  figureAs,
  PRINT,
  readAs,
  SCREEN,
  titleOf,
  wishFor,
} from "../poster/imagine";
import { DRAFTS, LONGEST, type Words } from "../poster/words";
import type { Sheet } from "../poster/works";
import { reason, type Shot } from "../state";
import { posterSpeaker } from "../text/poster";
import { usePage } from "./context";
import { Tile } from "./Face";
import { offer } from "./files";
import { Icon } from "./icons";
import { Choice, TextBox } from "./poster-inputs";

const PAUSE = 300; // ms without a letter, after which the type is set anew

/** A poster of one of eight drafts, and what it says. */
export const Poster = memo(function Poster() {
  const { studio, state, say, language } = usePage("poster", "many", "busy", "settings");
  const tell = posterSpeaker(language);
  const { poster, many, settings } = state;
  const drafts = many.filter(({ settings: { model, seed } }) => model === settings?.model && seed === settings.seed);
  const all = drafts.length === DRAFTS;
  const best = useMemo(() => (all ? mostSymmetrical(drafts) : null), [many, all]);
  const pick = poster.pick ?? best;
  const draft = pick === null ? undefined : drafts[pick];
  const genre = useGenre(poster.about);
  const figure = useFigure(poster.figure, settings?.seed ?? 0);
  const { sheet, busy } = useSheet(poster, draft, genre, figure);
  const [saving, setSaving] = useState(false);
  const change = (words: Partial<Words>) => {
    studio.set({ poster: { ...studio.state.poster, ...words } });
    studio.address.replace();
    studio.address.write();
  };
  const save = async (size: typeof SCREEN | typeof PRINT, ending: string) => {
    const kit = studio.model?.poster;
    if (!draft || !kit || genre === undefined || figure === undefined) return;
    setSaving(true);
    try {
      const wish = wishFor(poster, draft, genre, figure?.image ?? null, size);
      const blob = await studio.engine.call("print", studio.folder.href, kit, wish);
      offer(blob, `tfanime-poster-${draft.settings.seed}-${pick}${ending}.png`);
    } catch (error) {
      studio.tell("drawFailed", { reason: reason(error) }, true);
    } finally {
      setSaving(false);
    }
  };
  const title = titleOf(poster) || tell("noTitle");
  const told = sheet && !busy ? tell("done", { place: tell(sheet.layout) }) : "";
  return (
    <>
      <div className="poster">
        <div className={busy || !sheet ? "frame sheet busy" : "frame sheet"}>
          {sheet ? <Drawn sheet={sheet} label={tell("poster", { title })} /> : <div className="shimmer" />}
        </div>
        <div className="drafts" role="group" aria-label={tell("drafts")}>
          {drafts.map((shot, i) => (
            <button
              key={shot.id}
              type="button"
              className="tile"
              aria-pressed={i === pick}
              aria-label={tell("draft", { number: i + 1 })}
              onClick={() => change({ pick: i })}
            >
              <Tile image={shot.image} />
            </button>
          ))}
        </div>
        <Form words={poster} onChange={change} figure={figure} sheet={sheet} />
      </div>
      <div className="row">
        <button type="button" className="soft" disabled={!sheet || saving} onClick={() => save(SCREEN, "")}>
          <Icon name="save" /> {say("savePng")}
        </button>
        <button type="button" className="soft" disabled={!sheet || saving} onClick={() => save(PRINT, "-a3")}>
          <Icon name="save" /> {saving ? say("saving") : tell("savePrint")}
        </button>
      </div>
      <div className="sticky">
        <button
          type="button"
          className="main"
          disabled={state.busy}
          onClick={() => {
            change({ pick: null });
            studio.again();
          }}
        >
          <Icon name="spark" /> {tell("newDrafts")}
        </button>
      </div>
      <p className="sr-only" aria-live="polite">
        {told}
      </p>
    </>
  );
});

/** The genre that the phrase raises most; undefined until it is read. */
function useGenre(about: string): string | null | undefined {
  const { studio } = usePage();
  const [genre, setGenre] = useState<string | null | undefined>(about ? undefined : null);
  useEffect(() => {
    let gone = false;
    if (!about) setGenre(null);
    else {
      readAs(studio, about, 0).then(
        (answer) => gone || setGenre(answer?.chosen[0] ?? null),
        () => gone || setGenre(null), // the box of the phrase says why
      );
    }
    return () => {
      gone = true;
    };
  }, [studio, about]);
  return genre;
}

/** The face that words describe; undefined until it is drawn. */
function useFigure(words: string, seed: number): Figure | null | undefined {
  const { studio } = usePage();
  const [figure, setFigure] = useState<Figure | null | undefined>(words ? undefined : null);
  useEffect(() => {
    let gone = false;
    setFigure(words.trim() ? undefined : null);
    const timer = setTimeout(
      () =>
        figureAs(studio, words, seed).then(
          (found) => gone || setFigure(found),
          (error) => {
            studio.tell("drawFailed", { reason: reason(error) }, true);
            if (!gone) setFigure(null);
          },
        ),
      words ? 2 * PAUSE : 0,
    );
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [studio, words, seed]);
  return figure;
}

/** The poster, drawn anew when what it is made of has stayed for a moment. */
function useSheet(
  words: Words,
  draft: Shot | undefined,
  genre: string | null | undefined,
  figure: Figure | null | undefined,
): { sheet: Sheet | null; busy: boolean } {
  const { studio } = usePage();
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const [drawn, setDrawn] = useState("");
  const image = figure?.image ?? null;
  // What it is made of, apart from the images.
  const made = draft && genre !== undefined && figure !== undefined;
  const key = made ? JSON.stringify({ ...wishFor(words, draft, genre, null, SCREEN), draft: draft.id }) : "";
  useEffect(() => {
    const kit = studio.model?.poster;
    if (!key || !draft || genre === undefined || !kit) return;
    let gone = false;
    const draw = async () => {
      try {
        const wish = wishFor(words, draft, genre, image, SCREEN);
        const found = await studio.engine.call("poster", studio.folder.href, kit, wish);
        if (gone) return found.image.close();
        setSheet(found);
        setDrawn(key);
      } catch (error) {
        if (!gone) studio.tell("drawFailed", { reason: reason(error) }, true);
      }
    };
    const timer = setTimeout(() => void draw(), sheet ? PAUSE : 0);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [studio, key, image]);
  return { sheet, busy: key !== drawn || figure === undefined };
}

function Drawn({ sheet, label }: { sheet: Sheet; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { image, layout, boxes, colours } = sheet;
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.drawImage(image, 0, 0);
  }, [image]);
  return (
    <canvas
      ref={canvas}
      className="face"
      width={image.width}
      height={image.height}
      role="img"
      aria-label={label}
      data-layout={layout}
      data-boxes={JSON.stringify(boxes)}
      data-colours={JSON.stringify(colours)}
    />
  );
}

interface FormProps {
  words: Words;
  figure: Figure | null | undefined;
  sheet: Sheet | null;
  onChange: (words: Partial<Words>) => void;
}

function Form({ words, figure, sheet, onChange }: FormProps) {
  const { studio, say, language } = usePage();
  const tell = posterSpeaker(language);
  const own = sheet?.own.map((name) => tell(name)).join(", ");
  const unknown = figure?.unknown.join(", ");
  return (
    <div className="poster-words">
      <TextBox
        label={tell("title")}
        value={words.title}
        most={LONGEST.title}
        placeholder={titleOf(words)}
        onChange={(title) => onChange({ title })}
      />
      <TextBox
        label={tell("tagline")}
        value={words.tagline}
        most={LONGEST.tagline}
        onChange={(tagline) => onChange({ tagline })}
      />
      <TextBox
        label={tell("credits")}
        value={words.credits}
        most={LONGEST.credits}
        rows={3}
        placeholder={tell("creditsExample")}
        hint={tell("creditsHint")}
        onChange={(credits) => onChange({ credits })}
      />
      {facesOf(studio) && (
        <TextBox
          label={tell("figure")}
          value={words.figure}
          most={LONGEST.figure}
          placeholder={tell("figureExample")}
          hint={unknown ? say("leftOut", { words: unknown }) : undefined}
          onChange={(text) => onChange({ figure: text })}
        />
      )}
      <Choice
        label={tell("layout")}
        value={words.layout}
        choices={{
          auto: tell("auto"),
          top: tell("top"),
          centre: tell("centre"),
          bottom: tell("bottom"),
          vertical: tell("vertical"),
        }}
        onChange={(layout) => onChange({ layout })}
      />
      <Choice
        label={tell("style")}
        value={words.style}
        choices={{ auto: tell("auto"), paint: tell("paint"), print: tell("print"), mist: tell("mist") }}
        onChange={(style) => onChange({ style })}
      />
      <Choice
        label={tell("type")}
        value={words.type}
        choices={{ auto: tell("byGenre"), bold: tell("bold"), classic: tell("classic") }}
        onChange={(type) => onChange({ type })}
      />
      {own && <p className="quiet">{tell("own", { words: own })}</p>}
    </div>
  );
}
