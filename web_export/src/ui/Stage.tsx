import { useEffect } from "react";
import { BACKEND_NAMES } from "../names";
import { viewsOf } from "../settings";
import { refusal } from "../text/refusals";
import { Blend } from "./Blend";
import { usePage } from "./context";
import { Explore } from "./Explore";
import { megabytes } from "./files";
import { usePosters } from "./lazy";
import { Many } from "./Many";
import { One } from "./One";

export function Stage() {
  const { studio, state, say } = usePage("manifest", "phase", "view", "shot", "settings");
  const model = studio.model;
  const aspect = model ? model.width / model.height : 1;
  useEffect(() => document.documentElement.style.setProperty("--aspect", String(aspect)), [aspect]);
  const { phase, view, shot, settings } = state;
  const posters = usePosters(studio, Boolean(model?.poster));
  // Another backend for the same model: its picture stays until the next. Everything else that is
  // not ready says how far it is, what failed, or what it asks.
  const stays =
    view === "one" &&
    shot !== null &&
    shot.settings.model === settings?.model &&
    (phase === "loading" || phase === "starting");
  return (
    <section className="card stage" aria-label={say("view")}>
      <div className="tabs" role="group" aria-label={say("view")}>
        {viewsOf(model).map((view) => (
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
          {state.view === "explore" && <Explore />}
          {state.view === "poster" && posters && <posters.Poster />}
        </>
      )}
      <Status />
    </section>
  );
}

/** What is shown until the model can draw. */
function Opening() {
  const { studio, state, language, say } = usePage("phase", "failure", "loaded", "total", "settings");
  const { phase, loaded, total, settings } = state;
  if (phase === "failed") {
    return (
      <div className="opening" role="alert">
        <h2>{say("failed")}</h2>
        <p>{refusal(state.failure, language)}</p>
        <button type="button" className="soft" onClick={() => studio.opening.open()}>
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
        <button type="button" className="main" onClick={() => studio.opening.open(true)}>
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
  const { studio, state, say } = usePage("shot", "settings");
  const { shot, settings } = state;
  if (!shot || shot.settings.model === settings?.model) return null;
  return (
    <button type="button" className="soft" onClick={() => studio.use(shot.settings)}>
      {say("back", { name: shot.settings.model })}
    </button>
  );
}

function Status() {
  const { state, say } = usePage("phase", "backend", "threads", "shot", "offline", "sharpening");
  const { phase, backend, threads, shot, offline, sharpening } = state;
  if (phase !== "ready" || !backend) return null;
  const parts = [BACKEND_NAMES[backend] + (threads > 1 ? ` ×${threads}` : "")];
  if (shot) parts.push(say("milliseconds", { ms: Math.max(1, Math.round(shot.ms)) }));
  if (sharpening) parts.push(say("enlarging"));
  if (offline) parts.push(say("offline"));
  return (
    <p className="status" data-backend={backend} data-threads={threads} data-offline={offline}>
      {parts.join(" · ")}
    </p>
  );
}
