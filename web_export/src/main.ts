// The first thing that runs: the thread that computes starts while the page's own code arrives.

import "./styles.css";
import { Engine } from "./engine";

const engine = new Engine();
void import("./page").then(({ show }) => show(engine));
