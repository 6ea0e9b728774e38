// Names of well-known attributes in four languages, and the way back: from a visitor's words to
// attributes. What a schema has beyond this list keeps its own name.

import type { Field, Tags } from "./labels";
import type { Language } from "./text";

type Names = Record<Language, string>;

function names(en: string, ja: string, zh: string, ru: string): Names {
  return { en, ja, zh, ru };
}

const WORDS: Record<string, Names> = {
  hair: names("hair", "髪", "发", "волосы"),
  eyes: names("eyes", "瞳", "眼睛", "глаза"),
  genre: names("genre", "ジャンル", "类型", "жанр"),
  style: names("style", "画風", "风格", "стиль"),
  year: names("year", "年", "年份", "год"),
  blonde: names("blonde", "金", "金", "светлые"),
  brown: names("brown", "茶", "棕", "карие"),
  black: names("black", "黒", "黑", "чёрные"),
  blue: names("blue", "青", "蓝", "синие"),
  pink: names("pink", "ピンク", "粉", "розовые"),
  purple: names("purple", "紫", "紫", "фиолетовые"),
  green: names("green", "緑", "绿", "зелёные"),
  red: names("red", "赤", "红", "красные"),
  silver: names("silver", "銀", "银", "серебристые"),
  white: names("white", "白", "白", "белые"),
  orange: names("orange", "オレンジ", "橙", "оранжевые"),
  aqua: names("aqua", "水色", "水蓝", "бирюзовые"),
  gray: names("gray", "灰", "灰", "серые"),
  yellow: names("yellow", "黄", "黄", "жёлтые"),
  long_hair: names("long hair", "ロングヘア", "长发", "длинные волосы"),
  short_hair: names("short hair", "ショートヘア", "短发", "короткие волосы"),
  twintails: names("twintails", "ツインテール", "双马尾", "два хвостика"),
  drill_hair: names("drill hair", "縦ロール", "钻头卷", "локоны"),
  ponytail: names("ponytail", "ポニーテール", "马尾", "хвост"),
  blush: names("blush", "頬染め", "脸红", "румянец"),
  smile: names("smile", "笑顔", "微笑", "улыбка"),
  open_mouth: names("open mouth", "開いた口", "张嘴", "открытый рот"),
  hat: names("hat", "帽子", "帽子", "шляпа"),
  ribbon: names("ribbon", "リボン", "蝴蝶结", "бант"),
  glasses: names("glasses", "眼鏡", "眼镜", "очки"),
};

/** Colours of the swatches: hair and eyes as people call them. */
export const SWATCHES: Record<string, string> = {
  blonde: "#f3d27a",
  brown: "#8a5a3c",
  black: "#2d2a33",
  blue: "#4f83e6",
  pink: "#f59ac0",
  purple: "#9566d6",
  green: "#4fae74",
  red: "#d9444d",
  silver: "#c3c9d6",
  white: "#fbfaf7",
  orange: "#f08a3c",
  aqua: "#5fd3d6",
  gray: "#8f919b",
  yellow: "#f2d34b",
};

export function word(name: string, language: Language): string {
  return WORDS[name]?.[language] ?? name.replaceAll("_", " ");
}

/** "blue hair", "青髪", "синие волосы", and "long hair" for a flag. */
export function phrase(field: Field, value: string | null, language: Language): string {
  if (value === null) return word(field.name, language);
  const between = language === "ja" || language === "zh" ? "" : " ";
  const parts = [word(value, language), word(field.name, language)];
  // A value that does not describe its field as a colour does stands better with its field's name.
  if (!Object.hasOwn(SWATCHES, value)) return parts.reverse().join(": ");
  return parts.join(between);
}

// ---- from words to attributes ---------------------------------------------------------------

const SYNONYMS: [RegExp, string][] = [
  [/\bblond\b/g, "blonde"],
  [/\bgrey\b/g, "gray"],
  [/\b(violet|lilac)\b/g, "purple"],
  [/\b(cyan|turquoise|teal)\b/g, "aqua"],
  [/\bsmil(ing|es|ey)\b/g, "smile"],
  [/\bblush(ing|es)\b/g, "blush"],
  [/\b(twin tails|pigtails)\b/g, "twintails"],
  [/\b(spectacles|glass)\b/g, "glasses"],
  [/\b(cap|hats)\b/g, "hat"],
  [/\bbow\b/g, "ribbon"],
  [/\beyed?\b/g, "eyes"],
  [/\bhaired\b/g, "hair"],
  [/めがね|メガネ/g, "眼鏡"],
  [/目/g, "瞳"],
  [/头发|頭髮|髮/g, "发"],
  [/眼(?!睛|镜|鏡)/g, "眼睛"],
];

const NEGATIONS = /(\bno|\bnot|\bwithout|\bnever|n't|без|не|нет|不戴|没有|不|无|無)\s*(a |an |any )?$/;
const NEGATIONS_AFTER = /^\s*(なし|無し|がない|じゃない|ではない)/;

function normal(text: string): string {
  const plain = text.toLowerCase().normalize("NFKC").replaceAll("ё", "е").replace(/[_-]/g, " ");
  return SYNONYMS.reduce((found, [pattern, by]) => found.replace(pattern, by), plain);
}

const CJK = /[\u3040-\u30ff\u4e00-\u9fff]/;

/** A pattern for a name and, in Russian, for its other cases. */
function pattern(name: string): string {
  const escaped = normal(name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (CJK.test(name)) return `${escaped}(?:い|色|色の|の)?`;
  if (!/[а-я]/.test(escaped)) return `(?<![a-z])${escaped}(?![a-z])`;
  const stems = escaped.split(" ").map((part) => `${part.slice(0, Math.max(3, part.length - 2))}[а-я]*`);
  return `(?<![а-я])${stems.join(" ")}`;
}

function spellings(name: string): string[] {
  return [...new Set([name.replaceAll("_", " "), ...Object.values(WORDS[name] ?? {})])];
}

function anyOf(name: string): string {
  return `(?:${spellings(name).map(pattern).join("|")})`;
}

/** The attributes that a text names, by word matching: "blue hair, smile, no glasses". */
export function understand(text: string, fields: Field[]): Tags {
  const found: Tags = {};
  let rest = normal(text.slice(0, 1000));
  const take = (source: string, use: (match: RegExpExecArray) => void) => {
    const match = new RegExp(source).exec(rest);
    if (!match) return false;
    use(match);
    rest = rest.slice(0, match.index) + ";".repeat(match[0].length) + rest.slice(match.index + match[0].length);
    return true;
  };
  // Longer names first: "long hair" is a flag of its own, not a value of "hair".
  const flags = fields.filter(({ kind }) => kind === "flag");
  for (const { name } of flags.sort((a, b) => b.name.length - a.name.length)) {
    take(anyOf(name), (match) => {
      const before = rest.slice(0, match.index);
      const after = rest.slice(match.index + match[0].length);
      found[name] = !NEGATIONS.test(before) && !NEGATIONS_AFTER.test(after);
    });
  }
  const groups = fields.filter(({ kind }) => kind === "group");
  for (const { name, values } of groups) {
    for (const value of values) {
      const between = "[\\s;]*(?:[a-zа-я]+\\s)?";
      const both = `${anyOf(value)}${between}${anyOf(name)}|${anyOf(name)}:? ?${anyOf(value)}`;
      if (take(both, () => (found[name] = value))) break;
    }
  }
  // A value alone goes to the first group that has it and is not yet decided.
  for (const { name, values } of groups) {
    if (found[name] !== undefined) continue;
    for (const value of values) {
      if (take(anyOf(value), () => (found[name] = value))) break;
    }
  }
  for (const field of fields) {
    if (field.kind !== "value") continue;
    take(`${anyOf(field.name)}\\s*(-?\\d+(?:\\.\\d+)?)`, (match) => {
      const number = Number(match[1]);
      if (number >= field.low && number <= field.high) found[field.name] = number;
    });
  }
  return found;
}
