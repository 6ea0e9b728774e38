import { useEffect, useMemo, useState } from "react";
import type { Studio } from "../studio";
import { type Language, preferred, speaker } from "../text";
import { PageContext } from "./context";
import { Header } from "./Header";
import { History } from "./History";
import { Looks } from "./Looks";
import { Note } from "./Note";
import { Stage } from "./Stage";
import { Tuning } from "./Tuning";

export type Theme = "system" | "light" | "dark";

/** Storage may be forbidden; then a choice lasts until the page is closed. */
function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`tfanime-${name}`);
  } catch {
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`tfanime-${name}`, value);
  } catch {
    // see above
  }
}

export function App({ studio }: { studio: Studio }) {
  const [language, setLanguage] = useState<Language>(() =>
    preferred([remembered("language") ?? "", ...navigator.languages]),
  );
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = remembered("theme");
    return kept === "light" || kept === "dark" ? kept : "system";
  });
  useEffect(() => {
    document.documentElement.lang = language;
    remember("language", language);
  }, [language]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    remember("theme", theme);
  }, [theme]);
  const page = useMemo(
    () => ({ studio, language, say: speaker(language) }),
    [studio, language],
  );
  return (
    <PageContext value={page}>
      <Header theme={theme} onTheme={setTheme} onLanguage={setLanguage} />
      <main>
        <div className="column drawn">
          <Stage />
          <History />
        </div>
        <div className="column">
          <Looks />
          <Tuning />
        </div>
      </main>
      <Note />
    </PageContext>
  );
}
