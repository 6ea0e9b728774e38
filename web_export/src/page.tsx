import { createRoot } from "react-dom/client";
import type { Engine } from "./engine";
import { Studio } from "./studio";
import { App } from "./ui/App";

/** Shows the page and opens the first model. */
export function show(engine: Engine): void {
  const studio = new Studio(engine);
  void studio.start(); // the model is on its way while the page is drawn
  createRoot(document.getElementById("root") as HTMLElement).render(<App studio={studio} />);
}
