import { useEffect, useRef, useState } from "react";
import { MILLISECONDS } from "../film";
import { type Format, FORMATS } from "../formats";
import { usePage } from "./context";
import { offer, record, videoType } from "./files";
import { Icon } from "./icons";

const NAMES: Record<Format, string> = { gif: "GIF", webp: "WebP", png: "APNG" };

interface Film {
  /** The still that is shown, if there is a film. */
  image: ImageData | null;
  at: number;
  playing: boolean;
  play: (on: boolean) => void;
  seek: (at: number) => void;
}

/** A film that plays as soon as it is drawn, as its saved file does: to the last, and again. */
export function useFilm(): Film {
  const { state } = usePage("film", "filming");
  const { film, filming } = state;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const [playing, setPlaying] = useState(!still);
  const going = useRef(playing); // at once, where the state follows with the next drawing
  const play = (on: boolean) => {
    going.current = on;
    setPlaying(on);
  };
  const [at, seek] = useState(0);
  const last = film.length - 1;
  const drawn = last > 0 && filming !== "drawing";
  useEffect(() => {
    if (!playing || !drawn) return;
    const timer = setInterval(() => {
      if (going.current) seek((now) => (now >= last ? 0 : now + 1));
    }, MILLISECONDS);
    return () => clearInterval(timer);
  }, [playing, drawn, last]);
  const shown = drawn ? Math.min(at, last) : last;
  return { image: film[shown]?.image ?? null, at: Math.max(0, shown), playing, play, seek };
}

/** What is being drawn, then the player and the files that it can be saved as. */
export function Player({ film, goal, name }: { film: Film; goal: number; name: string }) {
  const { studio, state, say } = usePage("film", "filming", "enlarged");
  const { filming, enlarged } = state;
  const [saving, setSaving] = useState(false);
  const last = state.film.length - 1;
  const video = videoType();
  const save = async (ending: string, made: () => Promise<Blob>) => {
    setSaving(true);
    try {
      offer(await made(), `tfanime-${name}.${ending}`);
    } catch (error) {
      studio.tell("drawFailed", { reason: String(error) }, true);
    } finally {
      setSaving(false);
    }
  };
  const stills = () => state.film.map(({ image }) => image);
  return (
    <>
      {filming && (
        <progress
          aria-label={say(filming === "drawing" ? "drawing" : "enlarging")}
          value={filming === "drawing" ? last + 1 : enlarged}
          max={filming === "drawing" ? goal : last + 1}
        />
      )}
      {last > 0 && filming !== "drawing" && (
        <>
          <div className="player">
            <button
              type="button"
              className="round"
              aria-label={say(film.playing ? "pause" : "play")}
              onClick={() => film.play(!film.playing)}
            >
              <Icon name={film.playing ? "pause" : "play"} />
            </button>
            <input
              type="range"
              aria-label={say("frame")}
              min={0}
              max={last}
              value={film.at}
              onChange={(event) => {
                film.play(false);
                film.seek(Number(event.target.value));
              }}
            />
          </div>
          <div className="row">
            {FORMATS.map((format) => (
              <button
                key={format}
                type="button"
                className="soft"
                disabled={saving || filming !== null}
                onClick={() => save(format, () => studio.films.encode(format))}
              >
                <Icon name="save" /> {say("save", { format: NAMES[format] })}
              </button>
            ))}
            {video && (
              <button
                type="button"
                className="soft"
                disabled={saving || filming !== null}
                onClick={() => save(video.ending, () => record(stills(), MILLISECONDS, video.type))}
              >
                <Icon name="save" /> {say("save", { format: video.name })}
              </button>
            )}
          </div>
        </>
      )}
    </>
  );
}
