// The first thing that runs: the thread that computes starts while the page's own code arrives.

import "./styles.css";
import { Engine } from "./engine";

const engine = new Engine();
// In a task of its own, apart from reading the code: so the page answers between them.
void import("./page").then(({ show }) => setTimeout(show, 0, engine));
