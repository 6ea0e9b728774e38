import { useRef, useState } from "react";
import { type Language, LANGUAGES } from "../text";
import type { Theme } from "./App";
import { usePage, useStill } from "./context";
import { Icon } from "./icons";
import { Markdown } from "./Markdown";

interface Props {
  theme: Theme;
  onTheme: (theme: Theme) => void;
  onLanguage: (language: Language) => void;
}

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON = { system: "half", light: "sun", dark: "moon" } as const;

export function Header({ theme, onTheme, onLanguage }: Props) {
  const { studio, state, language, say } = usePage("manifest", "settings");
  const models = state.manifest?.models ?? [];
  const themeLabel = `${say("theme")}: ${say(theme)}`;
  return (
    <header>
      <div className="brand">
        <img src="icons/icon.svg" alt="" width="36" height="36" />
        <div>
          <h1>tfanime</h1>
          <p>{say("tagline")}</p>
        </div>
      </div>
      {models.length > 1 && (
        <select
          className="model"
          aria-label={say("model")}
          value={state.settings?.model}
          onChange={(event) => studio.chooseModel(event.target.value)}
        >
          {models.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      <select
        className="language"
        aria-label={say("language")}
        value={language}
        onChange={(event) => onLanguage(event.target.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
      <button
        type="button"
        className="round"
        aria-label={themeLabel}
        title={themeLabel}
        onClick={() => onTheme(NEXT[theme])}
      >
        <Icon name={THEME_ICON[theme]} />
      </button>
      <About />
    </header>
  );
}

function About() {
  const { studio, say } = useStill();
  const dialog = useRef<HTMLDialogElement>(null);
  const [card, setCard] = useState("");
  const { model } = studio;
  const open = async () => {
    dialog.current?.showModal();
    const path = studio.model?.card;
    if (!path) return;
    const answer = await fetch(path).catch(() => null);
    setCard(answer?.ok ? (await answer.text()).slice(0, 20_000) : "");
  };
  return (
    <>
      <button type="button" className="round" aria-label={say("about")} title={say("about")} onClick={open}>
        <Icon name="info" />
      </button>
      <dialog ref={dialog} aria-label={say("about")}>
        <h2>{say("about")}</h2>
        <p>{say("aboutText")}</p>
        {card && (
          <>
            <h3>{say("card", { name: model?.name ?? "" })}</h3>
            <div className="card-text" role="region" aria-label={say("card", { name: model?.name ?? "" })} tabIndex={0}>
              <Markdown text={card} />
            </div>
          </>
        )}
        <form method="dialog">
          <button type="submit" className="soft">
            {say("close")}
          </button>
        </form>
      </dialog>
    </>
  );
}
