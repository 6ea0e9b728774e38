import { type FormEvent, memo, useId, useState } from "react";
import { type Answer, imagine } from "../poster/imagine";
import { reason } from "../state";
import { posterSpeaker } from "../text/poster";
import { shade, word } from "../words";
import { described, useStill } from "./context";
import { Icon } from "./icons";

/** A phrase, and how it was read: the words that it knew, the genres and their odds. */
export const Phrase = memo(function Phrase() {
  const { studio, say, language } = useStill();
  const tell = posterSpeaker(language);
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const id = useId();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      setAnswer(await imagine(studio, text));
    } catch (error) {
      studio.tell("drawFailed", { reason: reason(error) }, true);
    }
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
        maxLength={1000}
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
          {answer.odds.map(([genre, share]) => (
            <li key={genre} className={answer.chosen.includes(genre) ? "chosen" : undefined}>
              {word(genre, language)} <b>{Math.round(100 * share)} %</b>
              {answer.chosen.includes(genre) && <span className="sr-only">{tell("likely")}</span>}
            </li>
          ))}
        </ol>
      )}
    </form>
  );
});
