// Runs the site's own reading of phrases, so that test_phrases_twin.py can feed it JSON and compare.

import { readFileSync } from "node:fs";
import { readPhrase, tagsOf } from "../../web_export/src/poster/phrases.js";

const table = JSON.parse(readFileSync(new URL("../../tfanime/sampling/phrases.json", import.meta.url), "utf8"));
let text = "";
for await (const part of process.stdin) text += part;
const { phrases, fields } = JSON.parse(text);
const answers = phrases.map((phrase) => {
  const reading = readPhrase(phrase, table);
  return { ...reading, tags: tagsOf(reading, fields) };
});
console.log(JSON.stringify(answers));
