import { useEffect } from "react";
import { BACKEND_NAMES } from "../names";
import { columns, type Field } from "../labels";
import { PLAIN, type Settings, tuned, type View } from "../settings";
import { phrase, SWATCHES, word } from "../words";
import { Blend } from "./Blend";
import { described, usePage, useWords } from "./context";
import { Face } from "./Face";
import { megabytes, offer, pngOf } from "./files";
import { Icon } from "./icons";
import { Many } from "./Many";
import { NumberBox } from "./inputs";

const VIEWS: View[] = ["one", "many", "blend"];

export function Stage() {
  const { studio, state, say } = usePage();
  const model = studio.model;
  const aspect = model ? model.width / model.height : 1;
  useEffect(() => document.documentElement.style.setProperty("--aspect", String(aspect)), [aspect]);
  const { phase, view, shot, settings } = state;
  // Another backend for the same model: its picture stays until the next. Everything else that is
  // not ready says how far it is, what failed, or what it asks.
  const stays =
    view === "one" &&
    shot?.settings.model === settings?.model &&
    (phase === "loading" || phase === "starting");
  return (
    <section className="card stage" aria-label={say("view")}>
      <div className="tabs" role="group" aria-label={say("view")}>
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            aria-pressed={state.view === view}
            onClick={() => studio.look(view)}
          >
            {say(view)}
          </button>
        ))}
      </div>
      {state.phase !== "ready" && !stays ? (
        <Opening />
      ) : (
        <>
          {state.view === "one" && <One />}
          {state.view === "many" && <Many />}
          {state.view === "blend" && <Blend />}
        </>
      )}
      <Status />
    </section>
  );
}

/** What is shown until the model can draw. */
function Opening() {
  const { studio, state, say } = usePage();
  const { phase, loaded, total, settings } = state;
  if (phase === "failed") {
    return (
      <div className="opening" role="alert">
        <h2>{say("failed")}</h2>
        <p>{state.failure}</p>
        <button type="button" className="soft" onClick={() => studio.open()}>
          {say("retry")}
        </button>
        <BackToLast />
      </div>
    );
  }
  if (phase === "asking") {
    return (
      <div className="opening">
        <h2>{say("metered")}</h2>
        <p>{say("meteredText", { name: settings?.model ?? "", size: megabytes(total) })}</p>
        <button type="button" className="main" onClick={() => studio.open(true)}>
          {say("download")}
        </button>
        <BackToLast />
      </div>
    );
  }
  const loading = phase === "loading";
  return (
    <div className="opening">
      <div className="shimmer" />
      <p>
        {loading ? say("downloading", { name: settings?.model ?? "tfanime" }) : say("starting")}
        {loading && total > 0 && ` · ${megabytes(loaded)} / ${megabytes(total)}`}
      </p>
      <progress
        aria-label={say("downloading", { name: settings?.model ?? "tfanime" })}
        value={loading ? loaded : undefined}
        max={Math.max(total, 1)}
      />
    </div>
  );
}

/** The model that drew the last picture, where another one cannot or shall not be opened. */
function BackToLast() {
  const { studio, state, say } = usePage();
  const { shot, settings } = state;
  if (!shot || shot.settings.model === settings?.model) return null;
  return (
    <button type="button" className="soft" onClick={() => studio.use(shot.settings)}>
      {say("back", { name: shot.settings.model })}
    </button>
  );
}

function One() {
  const { studio, state, say } = usePage();
  const words = useWords();
  const { shot, settings, busy } = state;
  if (!settings) return null;
  const copy = async () => {
    const copied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false,
    );
    studio.tell(copied ? "copied" : "copyFailed");
  };
  const save = async () => {
    if (!shot) return;
    const { model, seed, index } = shot.settings;
    offer(await pngOf(shot.image), `${[model, seed, ...(index ? [index] : [])].join("-")}.png`);
  };
  return (
    <>
      <div className={busy ? "frame busy" : "frame"}>
        {shot ? (
          <Face image={shot.image} label={say("picture", { words: words(shot.tags) })} />
        ) : (
          <div className="shimmer" />
        )}
      </div>
      {shot && <Shown />}
      <div className="seed">
        <NumberBox
          label={say("seed")}
          value={settings.seed}
          most={Number.MAX_SAFE_INTEGER}
          onChange={(seed) => studio.change({ seed, index: 0 })}
        />
        <KeepSeed settings={settings} />
        <button type="button" className="soft" disabled={!shot} onClick={copy}>
          <Icon name="link" /> {say("copyLink")}
        </button>
        <button type="button" className="soft" disabled={!shot} onClick={save}>
          <Icon name="save" /> {say("savePng")}
        </button>
      </div>
      <div className="sticky">
        <button type="button" className="main" disabled={!shot} onClick={() => studio.again()}>
          <Icon name="spark" /> {say("draw")}
        </button>
      </div>
      <p className="sr-only" aria-live="polite">
        {shot && say("drawn", { words: words(shot.tags), seed: shot.settings.seed })}
      </p>
    </>
  );
}

function KeepSeed({ settings }: { settings: Settings }) {
  const { studio, say } = usePage();
  return (
    <button
      type="button"
      className="round"
      aria-pressed={settings.keepSeed}
      aria-label={say("seedKeep")}
      title={say("seedKeep")}
      onClick={() => studio.keepSeed(!settings.keepSeed)}
    >
      <Icon name={settings.keepSeed ? "lock" : "unlock"} />
    </button>
  );
}

/** What chance and the visitor made of this face. A press keeps an attribute or lets it go. */
function Shown() {
  const { studio, state, language, say } = usePage();
  const { shot, settings } = state;
  if (!shot || !settings || !studio.model) return null;
  const { fields } = studio.model;
  const all = columns(fields);
  const sliding = new Set(
    all.filter(({ name }) => Object.hasOwn(settings.sliders, name)).map(({ field }) => field.name),
  );
  // An attribute with sliders is what they make of it, such as gray and blue hair.
  const mixed = (field: Field) =>
    all.filter((column, i) => column.field === field && (shot.labels?.[i] ?? 0) > 0);
  return (
    <ul className="chips">
      {described(fields, shot.tags).map(({ field, value }) => {
        const kept = Object.hasOwn(settings.tags, field.name) || sliding.has(field.name);
        const parts = field.kind === "group" && sliding.has(field.name) ? mixed(field) : [];
        const name = (parts.length ? parts : [{ value }])
          .map((part) => phrase(field, part.value, language))
          .join(" + ");
        const number = field.kind === "value" ? ` ${Number(shot.tags[field.name]).toFixed(0)}` : "";
        return (
          <li key={field.name}>
            <button
              type="button"
              aria-pressed={kept}
              aria-label={`${name}${number}: ${say(kept ? "release" : "keep", { word: word(field.name, language) })}`}
              onClick={() => studio.hold({ [field.name]: kept ? null : shot.tags[field.name] })}
            >
              {value && SWATCHES[value] && <i style={{ background: SWATCHES[value] }} />}
              {name}
              {number}
            </button>
          </li>
        );
      })}
      {tuned(settings) && (
        <li>
          <button type="button" aria-label={say("tuned")} title={say("tuned")} onClick={() => studio.change(PLAIN)}>
            {say("advanced")} <Icon name="cross" />
          </button>
        </li>
      )}
    </ul>
  );
}

function Status() {
  const { state, say } = usePage();
  const { phase, backend, shot, offline } = state;
  if (phase !== "ready" || !backend) return null;
  const parts = [BACKEND_NAMES[backend]];
  if (shot) parts.push(say("milliseconds", { ms: Math.max(1, Math.round(shot.ms)) }));
  if (offline) parts.push(say("offline"));
  return (
    <p className="status" data-backend={backend} data-offline={offline}>
      {parts.join(" · ")}
    </p>
  );
}
