import { type FormEvent, memo, useState } from "react";
import { LOOP } from "../film";
import { nameOf } from "../settings";
import type { Shot } from "../state";
import { usePage, useStill, useWords } from "./context";
import { Face } from "./Face";
import { Player, useFilm } from "./Film";
import { Icon } from "./icons";
import { NumberBox } from "./inputs";
import { Keep } from "./Keep";
import { Own } from "./Own";
import { Shown } from "./Shown";
import { Zones } from "./Zones";

export const One = memo(function One() {
  const { studio, state, say } = usePage("shot", "settings", "busy", "film", "filming");
  const words = useWords();
  const film = useFilm();
  const { shot, settings, busy } = state;
  if (!settings) return null;
  return (
    <>
      <div className={busy ? "frame busy" : "frame"}>
        <Picture shot={shot} film={film.image} />
        {shot && !film.image && <Zones />}
      </div>
      {shot && <Shown />}
      <Player film={film} goal={LOOP} name={nameOf(settings)} />
      <div className="seed">
        <NumberBox
          label={say("seed")}
          value={settings.seed}
          most={Number.MAX_SAFE_INTEGER}
          onChange={(seed) => studio.change({ seed, index: 0 })}
        />
        <button
          type="button"
          className="round"
          aria-pressed={settings.keepSeed}
          aria-label={say("seedKeep")}
          title={say("seedKeep")}
          onClick={() => studio.set({ settings: { ...settings, keepSeed: !settings.keepSeed } })}
        >
          <Icon name={settings.keepSeed ? "lock" : "unlock"} />
        </button>
        <Keep />
        <button
          type="button"
          className="soft"
          aria-pressed={state.film.length > 0}
          disabled={!shot || state.filming === "drawing"}
          onClick={() => (state.film.length ? studio.films.clear() : studio.films.loop())}
        >
          <Icon name={state.film.length ? "stop" : "loop"} /> {say(state.film.length ? "stop" : "alive")}
        </button>
        <Called />
        {studio.own.possible && <Own />}
      </div>
      <div className="sticky">
        <button type="button" className="main" disabled={!shot} onClick={() => studio.again()}>
          <Icon name="spark" /> {say("draw")}
        </button>
      </div>
      <p className="sr-only" aria-live="polite">
        {shot &&
          (shot.settings.latent === null
            ? say("drawn", { words: words(shot.tags), seed: shot.settings.seed })
            : say("picture", { words: words(shot.tags) }))}
      </p>
    </>
  );
});

/** The picture that is shown: of a film its still. */
export function Picture({ shot, film }: { shot: Shot | null; film?: ImageData | null }) {
  const { say } = useStill();
  const words = useWords();
  if (!shot) return <div className="shimmer" />;
  const image = film ?? shot.large ?? shot.image;
  return <Face image={image} label={say("picture", { words: words(shot.tags) })} />;
}

/** A name, or any other text, has a face; each day has one too. */
function Called() {
  const { studio, say } = useStill();
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) studio.callBy(name);
  };
  return (
    <>
      <form className="called" onSubmit={submit}>
        <input
          aria-label={say("called")}
          title={say("called")}
          placeholder={say("yourName")}
          value={name}
          maxLength={200}
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <button type="submit" className="round" aria-label={say("called")} title={say("called")}>
          <Icon name="arrow" />
        </button>
      </form>
      <button type="button" className="soft" onClick={() => studio.callBy(new Date().toISOString().slice(0, 10))}>
        <Icon name="calendar" /> {say("today")}
      </button>
    </>
  );
}
