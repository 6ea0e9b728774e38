// What was wrong, in other languages. Sentences are made in English, also in the worker and in
// tfanime.js, which has no other words; here they are recognised.

import type { Language } from "../text";

type Other = Exclude<Language, "en">;
type Rule = [RegExp, Record<Other, string>];

/** What something is, of "seed is a whole number from 0 to 9. Received: -1." */
const KINDS: Rule[] = [
  [/^a whole number from (.+) to (.+)$/, { ja: "$1から$2までの整数", zh: "$1 到 $2 的整数", ru: "целое число от $1 до $2" }],
  [/^a number from (.+) to (.+)$/, { ja: "$1から$2までの数", zh: "$1 到 $2 的数", ru: "число от $1 до $2" }],
  [/^one of (.+)$/, { ja: "次のどれか（$1）", zh: "以下之一（$1）", ru: "одно из этих слов: $1" }],
  [/^true or false$/, { ja: "true か false", zh: "true 或 false", ru: "true или false" }],
  [/^an object$/, { ja: "オブジェクト", zh: "对象", ru: "объект" }],
  [/^a list of at most (.+) entries$/, { ja: "$1個までのリスト", zh: "最多 $1 项的列表", ru: "список не длиннее $1" }],
  [/^text of at most (.+) characters$/, { ja: "$1文字までの文", zh: "最多 $1 个字的文本", ru: "текст не длиннее $1 знаков" }],
  [/^given once in an address$/, { ja: "アドレスに一度だけ書くもの", zh: "地址中只写一次的内容", ru: "то, что в адресе пишут один раз" }],
  [/^given instead of a seed$/, { ja: "シードの代わりに書くもの", zh: "代替种子的内容", ru: "то, что пишут вместо числа" }],
  [/^a picture of the same model$/, { ja: "同じモデルの絵", zh: "同一模型的图片", ru: "картинка той же модели" }],
  [/^a picture without styles of others$/, { ja: "ほかのスタイルのない絵", zh: "不含他图风格的图片", ru: "картинка без чужих стилей" }],
  [/^as many as vary has numbers.*$/, { ja: "varyと同じ数だけ、コンマで区切ったもの", zh: "与 vary 数量相同、以逗号分隔的数", ru: "столько чисел через запятую, сколько в vary" }],
];

const SENTENCES: Rule[] = [
  [/^(.+?) is (.+?)\. Received: (.*)\.$/s, { ja: "$1は$2です。受け取った値：$3。", zh: "$1 应为$2。收到：$3。", ru: "$1 — $2. Получено: $3." }],
  [/^(.+) is not JSON\.$/, { ja: "$1はJSONではありません。", zh: "$1不是 JSON。", ru: "$1 — не JSON." }],
  [/^The file is longer than a megabyte\.$/, { ja: "ファイルが1メガバイトを超えています。", zh: "文件超过 1 MB。", ru: "Файл больше мегабайта." }],
  [/^A picture is (\d+) steps away at most\.$/, { ja: "シードから進めるのは$1歩までです。", zh: "离种子最多 $1 步。", ru: "От числа можно отойти не дальше чем на $1 шагов." }],
  [/^This model has no directions: .*$/, { ja: "このモデルには方向がありません。", zh: "此模型没有方向。", ru: "У этой модели нет направлений." }],
  [/^This model has no styles: .*$/, { ja: "このモデルにはスタイルがありません。", zh: "此模型没有风格。", ru: "У этой модели нет стилей." }],
  [/^(.+) could not be loaded: (.+)\.$/, { ja: "$1を読み込めませんでした：$2。", zh: "无法载入 $1：$2。", ru: "Не удалось загрузить $1: $2." }],
  [/^(.+) is not the file that tfanime\.json describes\. .*$/, { ja: "$1はtfanime.jsonにあるファイルと違います。もう一度書き出してください。", zh: "$1 与 tfanime.json 的记载不符，请重新导出。", ru: "$1 — не тот файл, что описан в tfanime.json. Экспортируйте папку заново." }],
  [/^(.+) cannot be drawn in this browser \((.*)\)\.$/, { ja: "$1はこのブラウザーでは描けません（$2）。", zh: "$1 无法在此浏览器中绘制（$2）。", ru: "$1 не рисует в этом браузере ($2)." }],
];

/** Parts of sentences: why a file did not arrive, or a backend is not used. */
const REASONS: Rule[] = [
  [/^the server answered (\d+)$/, { ja: "サーバーの答えは$1でした", zh: "服务器返回 $1", ru: "сервер ответил $1" }],
  [/^the server cannot be reached$/, { ja: "サーバーにつながりません", zh: "无法连接服务器", ru: "сервер недоступен" }],
  [/^the connection broke$/, { ja: "接続が切れました", zh: "连接中断", ru: "соединение прервалось" }],
  [/^its code could not be loaded$/, { ja: "コードを読み込めませんでした", zh: "无法载入其代码", ru: "его код не загрузился" }],
  [/^its program could not be loaded$/, { ja: "プログラムを読み込めませんでした", zh: "无法载入其程序", ru: "его программа не загрузилась" }],
  [/^this browser cannot start (.+)$/, { ja: "このブラウザーでは$1を始められません", zh: "此浏览器无法启动 $1", ru: "этот браузер не запускает $1" }],
  [/^it draws a single colour$/, { ja: "一色しか描きません", zh: "只画出一种颜色", ru: "он рисует один цвет" }],
  [/^it draws numbers that are not finite$/, { ja: "描いた数が有限ではありません", zh: "画出的数不是有限数", ru: "он рисует не числа" }],
  [/^it draws a picture of another size$/, { ja: "別の大きさの絵を描きます", zh: "画出的图大小不同", ru: "он рисует картинку другого размера" }],
  [/^it draws another picture \((.+) off\)$/, { ja: "別の絵を描きます（差は$1）", zh: "画出了另一张图（相差 $1）", ru: "он рисует другую картинку (разница $1)" }],
];

const NAMES: Record<string, Record<Other, string>> = {
  "An attribute": { ja: "特徴", zh: "属性", ru: "Признак" },
  "A slider": { ja: "スライダー", zh: "滑块", ru: "Ползунок" },
  "A direction": { ja: "方向", zh: "方向", ru: "Направление" },
  "A style": { ja: "スタイル", zh: "风格", ru: "Стиль" },
  "The file": { ja: "ファイル", zh: "文件", ru: "Файл" },
};

/** A sentence in a language, as far as it is known there. */
export function refusal(sentence: string, language: Language): string {
  if (language === "en") return sentence;
  const part = (text: string): string => {
    if (Object.hasOwn(NAMES, text)) return NAMES[text][language];
    for (const [pattern, words] of [...KINDS, ...REASONS]) {
      if (pattern.test(text)) return text.replace(pattern, words[language]);
    }
    return text;
  };
  for (const [pattern, words] of SENTENCES) {
    const found = pattern.exec(sentence);
    if (!found) continue;
    // Of several backends, each says its own reason.
    const parts = found.map((text) =>
      text.split("; ").map((one) => one.replace(/^(\w+: )?(.*)$/s, (_, name = "", rest) => name + part(rest))).join("; "),
    );
    return words[language].replace(/\$(\d)/g, (_, i) => parts[Number(i)]);
  }
  return part(sentence);
}
