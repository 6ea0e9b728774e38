import { type FormEvent, memo, useEffect, useId, useState } from "react";
import { type Answer, imagine, readAs } from "../poster/imagine";
import { told } from "../poster/phrases.js";
import { LONGEST } from "../poster/words";
import { reason } from "../state";
import { posterSpeaker } from "../text/poster";
import { shade, word } from "../words";
import { described, usePage } from "./context";
import { Icon } from "./icons";

/** A phrase, and how it was read: the words that it knew, the genres and their odds. */
export const Phrase = memo(function Phrase() {
  const { studio, state, say, language } = usePage("poster");
  const tell = posterSpeaker(language);
  const { about } = state.poster;
  const [text, setText] = useState(about);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const id = useId();
  const failed = (error: unknown) => studio.tell("drawFailed", { reason: reason(error) }, true);
  // A phrase that the address brings.
  useEffect(() => {
    if (!about) return;
    setText(about);
    readAs(studio, about, studio.state.settings?.seed ?? 0).then(setAnswer, failed);
  }, [studio, about]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    imagine(studio, text).then(setAnswer, failed);
  };
  const drawn = described(studio.model?.fields ?? [], answer?.tags ?? {})
    .map(({ field, value }) => (value === null ? word(field.name, language) : shade(field, value, language)))
    .join(", ");
  const lines = answer && [
    ...(Object.keys(answer.tags).length ? [tell("drawnAs", { words: drawn })] : [say("notUnderstood")]),
    ...(answer.known.length ? [tell("knew", { words: answer.known.join(", ") })] : []),
    ...(answer.unknown.length ? [say("leftOut", { words: answer.unknown.join(", ") })] : []),
  ];
  return (
    <form className="describe" onSubmit={submit}>
      <label className="sr-only" htmlFor={id}>
        {tell("phrase")}
      </label>
      <input
        id={id}
        value={text}
        maxLength={LONGEST.about}
        autoComplete="off"
        placeholder={tell("example")}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="round" aria-label={say("describeLabel")}>
        <Icon name="arrow" />
      </button>
      <div className="read" role="status">
        {lines ? lines.map((line) => <p key={line}>{line}</p>) : <p>{tell("phraseHint")}</p>}
      </div>
      {answer && answer.known.length > 0 && (
        <ol className="odds" aria-label={tell("odds")}>
          {told(answer).map(([genre, share]) => (
            <li key={genre} className={answer.chosen.includes(genre) ? "chosen" : undefined}>
              {word(genre, language)} <b>{Math.round(100 * share)} %</b>
              {answer.chosen.includes(genre) && <span className="sr-only">, {tell("likely")}</span>}
            </li>
          ))}
        </ol>
      )}
    </form>
  );
});
