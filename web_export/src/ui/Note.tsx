import { useEffect } from "react";
import { refusal } from "../text/refusals";
import { usePage } from "./context";
import { Icon } from "./icons";

/** A short message at the foot of the page; good news leave by themselves. */
export function Note() {
  const { studio, state, language, say } = usePage("note");
  const { note } = state;
  const values = { ...note?.values };
  if (values.reason) values.reason = refusal(values.reason, language);
  useEffect(() => {
    if (!note || note.bad) return;
    const timer = setTimeout(() => studio.dismiss(), 5000);
    return () => clearTimeout(timer);
  }, [note, studio]);
  return (
    <div className="note-place" role="status">
      {note && (
        <div className={note.bad ? "note bad" : "note"}>
          <p>{say(note.phrase, values)}</p>
          <button type="button" className="bare" aria-label={say("close")} onClick={() => studio.dismiss()}>
            <Icon name="cross" />
          </button>
        </div>
      )}
    </div>
  );
}
