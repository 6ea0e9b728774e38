import "./styles.css";
import { createRoot } from "react-dom/client";
import { Studio } from "./studio";
import { App } from "./ui/App";

const studio = new Studio();
createRoot(document.getElementById("root") as HTMLElement).render(<App studio={studio} />);
void studio.start();
