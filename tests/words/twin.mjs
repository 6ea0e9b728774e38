// Runs the site's own grammar, so that test_words.py can feed it JSON and compare.

import { readFileSync } from "node:fs";
import { understand } from "../../web_export/src/grammar.js";

const table = JSON.parse(readFileSync(new URL("../../tfanime/sampling/words.json", import.meta.url), "utf8"));
let text = "";
for await (const part of process.stdin) text += part;
const { schemas, questions } = JSON.parse(text);
const answers = questions.map(([phrase, name]) => understand(phrase, schemas[name], table));
console.log(JSON.stringify(answers));
