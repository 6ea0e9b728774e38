import { usePage, useWords } from "./context";
import { Face } from "./Face";

export function History() {
  const { studio, state, say } = usePage();
  const words = useWords();
  return (
    <section className="card history" aria-labelledby="history-title">
      <h2 id="history-title">{say("history")}</h2>
      {state.history.length ? (
        <ul>
          {state.history.map((shot) => (
            <li key={shot.id}>
              <button
                type="button"
                className="tile"
                aria-current={shot.id === state.shot?.id}
                aria-label={say("restore", { seed: shot.settings.seed, words: words(shot.tags) })}
                onClick={() => studio.restore(shot)}
              >
                <Face image={shot.image} />
              </button>
            </li>
          ))}
        </ul>
      ) : (
        <p className="quiet">{say("historyEmpty")}</p>
      )}
    </section>
  );
}
