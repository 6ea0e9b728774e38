import { memo, useState } from "react";
import type { Shot } from "../state";
import { usePage, useStill, wordsOf } from "./context";
import { Tile } from "./Face";
import { Icon } from "./icons";

export function History() {
  const { studio, state, say } = usePage("history", "shot");
  const [only, setOnly] = useState(false);
  const [all, setAll] = useState(false);
  const loved = state.history.filter(({ favourite }) => favourite);
  const shown = only && loved.length ? loved : state.history;
  return (
    <section className="card history" aria-labelledby="history-title">
      <h2 id="history-title">{say("history")}</h2>
      {shown.length ? (
        <ul className={all ? "all" : undefined}>
          {shown.map((shot) => (
            <Kept key={shot.id} shot={shot} current={shot.id === state.shot?.id} />
          ))}
        </ul>
      ) : (
        <p className="quiet">{say("historyEmpty")}</p>
      )}
      {(loved.length > 0 || state.history.length > 1) && (
        <div className="history-foot">
          {loved.length > 0 && (
            <label className="switch">
              <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
              {say("favourites")}
            </label>
          )}
          <button type="button" className="soft" aria-expanded={all} onClick={() => setAll(!all)}>
            {say(all ? "fewer" : "all")}
          </button>
          <button type="button" className="soft" onClick={() => studio.gallery.forget()}>
            {say("forget")}
          </button>
        </div>
      )}
    </section>
  );
}

const Kept = memo(function Kept({ shot, current }: { shot: Shot; current: boolean }) {
  const page = useStill();
  const { studio, say } = page;
  const { seed, latent } = shot.settings;
  const words = wordsOf(page, shot.tags, studio.modelOf(shot.settings.model));
  const label = say(shot.favourite ? "unfavour" : "favour", { seed });
  return (
    <li>
      <button
        type="button"
        className="tile"
        aria-current={current}
        aria-label={latent === null ? say("restore", { seed, words }) : say("picture", { words })}
        onClick={() => studio.restore(shot)}
      >
        <Tile image={shot.image} />
      </button>
      <button
        type="button"
        className={shot.favourite ? "star yes" : "star"}
        aria-label={label}
        title={label}
        onClick={() => studio.gallery.favour(shot, !shot.favourite)}
      >
        <Icon name="star" />
      </button>
    </li>
  );
});
