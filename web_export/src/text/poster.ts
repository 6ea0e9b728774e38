// What the page says of posters: apart from the rest, since only models of posters need it.

import type { Language } from "../text";

const en = {
  phrase: "What a poster is about",
  example: "a lonely swordsman under a red moon",
  phraseHint: "Say in a phrase what the poster is about: eight drafts are drawn.",
  knew: "Words it knew: {words}",
  odds: "Genres and their odds",
  drawnAs: "Drawn as: {words}",
  likely: "drawn",
};

type Word = keyof typeof en;

const ja: Record<Word, string> = {
  phrase: "どんなポスターか",
  example: "a lonely swordsman under a red moon",
  phraseHint: "どんなポスターかを英語の短い文で書くと、下絵を8枚描きます。ジャンルの名前は日本語でもわかります。",
  knew: "知っている言葉：{words}",
  odds: "ジャンルとその確率",
  drawnAs: "描くもの：{words}",
  likely: "描きます",
};

const zh: Record<Word, string> = {
  phrase: "海报讲什么",
  example: "a lonely swordsman under a red moon",
  phraseHint: "用一句英语说说海报讲什么，就会画出八张草图。类型的名称用中文也行。",
  knew: "认识的词：{words}",
  odds: "类型及其概率",
  drawnAs: "画成：{words}",
  likely: "已选用",
};

const ru: Record<Word, string> = {
  phrase: "О чём плакат",
  example: "a lonely swordsman under a red moon",
  phraseHint: "Скажите по-английски, о чём плакат: будет восемь набросков. Жанры можно назвать и по-русски.",
  knew: "Знакомые слова: {words}",
  odds: "Жанры и их вероятности",
  drawnAs: "Рисуется как: {words}",
  likely: "рисуется",
};

const words: Record<Language, Record<Word, string>> = { en, ja, zh, ru };

export type SayOfPosters = (word: Word, values?: Record<string, string | number>) => string;

export function posterSpeaker(language: Language): SayOfPosters {
  return (word, values = {}) =>
    words[language][word].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
