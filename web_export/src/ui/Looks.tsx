import { type FormEvent, memo, useCallback, useId, useState } from "react";
import type { Field, Tag, Tags } from "../labels";
import { phrase, settled, shade, SWATCHES, understand, word } from "../words";
import { usePage, useStill, useWords } from "./context";
import { Icon } from "./icons";
import { Slider } from "./inputs";
import { usePosters } from "./lazy";

const MANY_VALUES = 16; // from here on a list to choose from, instead of buttons

/** What the visitor may choose: made from the model's schema, whatever that holds. */
export function Looks() {
  const { studio, state, say } = usePage("manifest", "settings", "shot");
  const { settings, shot } = state;
  const onChoose = useCallback(
    (name: string, tag: Tag | null, draft = false) => studio.hold({ [name]: tag }, draft),
    [studio],
  );
  const fields = studio.model?.fields ?? [];
  const posters = usePosters(studio, Boolean(studio.model?.poster));
  if (!settings || !fields.length) return null;
  const flags = fields.filter(({ kind }) => kind === "flag");
  return (
    <section className="card looks" aria-labelledby="looks-title">
      <h2 id="looks-title">{say("looks")}</h2>
      {studio.model?.poster ? posters && <posters.Phrase /> : <Describe fields={fields} />}
      {fields.map((field) => {
        const tag = settings.tags[field.name];
        const props = { field, onChoose };
        if (field.kind === "group") return <Group {...props} key={field.name} tag={tag as string} />;
        if (field.kind === "value") return <Value {...props} key={field.name} tag={tag as number} />;
        return null;
      })}
      {flags.length > 0 && (
        <div className="flags">
          {flags.map((field) => (
            <Flag
              key={field.name}
              field={field}
              tag={settings.tags[field.name] as boolean | undefined}
              onChoose={onChoose}
            />
          ))}
        </div>
      )}
      <div className="row">
        <button
          type="button"
          className="soft"
          disabled={!Object.keys({ ...settings.tags, ...settings.sliders, ...settings.move }).length}
          onClick={() => studio.change({ tags: {}, sliders: {}, move: {} })}
        >
          <Icon name="dice" /> {say("surprise")}
        </button>
        <button
          type="button"
          className="soft"
          disabled={!shot || fields.every(({ name }) => Object.hasOwn(settings.tags, name))}
          onClick={() => shot && studio.change({ tags: { ...shot.tags, ...settings.tags } })}
        >
          <Icon name="lock" /> {say("keepAll")}
        </button>
      </div>
    </section>
  );
}

const Describe = memo(function Describe({ fields }: { fields: Field[] }) {
  const { studio, say, language } = useStill();
  const words = useWords();
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState<{ tags: Tags; unknown: string[] } | null>(null);
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { seed = 0, index = 0 } = studio.state.settings ?? {};
    const found = understand(text, fields);
    const tags = settled(found, fields, seed, index);
    setAnswer({ tags, unknown: found.unknown });
    if (Object.keys(tags).length) studio.hold(tags);
  };
  const shown = Object.entries(answer?.tags ?? {}).map(([name, tag]) =>
    tag === false ? say("without", { word: words({ [name]: true }) }) : words({ [name]: tag }),
  );
  const told = [
    shown.length ? say("understood", { words: shown.join(", ") }) : say("notUnderstood"),
    ...(shown.length && answer?.unknown.length
      ? [say("leftOut", { words: answer.unknown.join(", ") })]
      : []),
  ];
  const faces = ["hair", "smile", "glasses"].every((name) => fields.some((f) => f.name === name));
  const example = fields
    .slice(0, 2)
    .map((field) => phrase(field, field.kind === "group" ? field.values[0] : null, language));
  return (
    <form className="describe" onSubmit={submit}>
      <label className="sr-only" htmlFor={id}>
        {say("describeLabel")}
      </label>
      <input
        id={id}
        value={text}
        maxLength={300}
        autoComplete="off"
        placeholder={faces ? say("describe") : `${example.join(", ")}…`}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="round" aria-label={say("describeLabel")}>
        <Icon name="arrow" />
      </button>
      <p className="quiet" role="status">
        {answer ? told.join(". ") : say("looksHint")}
      </p>
    </form>
  );
});

interface FieldProps<T> {
  field: Field;
  tag: T | undefined;
  onChoose: (name: string, tag: T | null, draft?: boolean) => void;
}

const Group = memo(function Group({ field, tag, onChoose }: FieldProps<string>) {
  const { language, say } = useStill();
  const id = useId();
  const title = word(field.name, language);
  const name = (value: string) => shade(field, value, language);
  if (field.values.length > MANY_VALUES) {
    return (
      <div className="box">
        <label htmlFor={id}>{title}</label>
        <select id={id} value={tag ?? ""} onChange={(event) => onChoose(field.name, event.target.value || null)}>
          <option value="">{say("any")}</option>
          {field.values.map((value) => (
            <option key={value} value={value}>
              {name(value)}
            </option>
          ))}
        </select>
      </div>
    );
  }
  const colours = field.values.every((value) => Object.hasOwn(SWATCHES, value));
  return (
    <fieldset className={colours ? "group colours" : "group"}>
      <legend>
        {title}
        <span>{tag === undefined ? say("any") : name(tag)}</span>
      </legend>
      <label className="any" title={say("any")}>
        <input type="radio" name={id} checked={tag === undefined} onChange={() => onChoose(field.name, null)} />
        <span>
          <Icon name="dice" />
          <b className="sr-only">{`${title}: ${say("any")}`}</b>
        </span>
      </label>
      {field.values.map((value) => (
        <label key={value} title={name(value)}>
          <input type="radio" name={id} checked={tag === value} onChange={() => onChoose(field.name, value)} />
          {colours ? (
            <span style={{ background: SWATCHES[value] }}>
              <b className="sr-only">{phrase(field, value, language)}</b>
            </span>
          ) : (
            <span>{name(value)}</span>
          )}
        </label>
      ))}
    </fieldset>
  );
});

/** Three states in turn: left to chance, yes, no. */
const Flag = memo(function Flag({ field, tag, onChoose }: FieldProps<boolean>) {
  const { language, say } = useStill();
  const name = word(field.name, language);
  const state = tag === undefined ? "any" : tag ? "yes" : "no";
  const next = { any: true, yes: false, no: null }[state];
  return (
    <button
      type="button"
      className={`flag ${state}`}
      aria-label={`${name}: ${say(state)}`}
      onClick={() => onChoose(field.name, next)}
    >
      <Icon name={({ any: "ring", yes: "check", no: "cross" } as const)[state]} />
      {name}
    </button>
  );
});

const Value = memo(function Value({ field, tag, onChoose }: FieldProps<number>) {
  const { language, say } = useStill();
  const name = word(field.name, language);
  const { low, high } = field;
  const chance = tag === undefined;
  return (
    <div className="value">
      <Slider
        label={chance ? `${name}: ${say("any")}` : name}
        value={tag ?? (low + high) / 2}
        least={low}
        most={high}
        step={(high - low) / 100}
        digits={high - low > 10 ? 0 : 2}
        onChange={(x) => onChoose(field.name, x, true)}
      />
      <button
        type="button"
        className="round"
        disabled={chance}
        aria-label={say("release", { word: name })}
        onClick={() => onChoose(field.name, null)}
      >
        <Icon name="dice" />
      </button>
    </div>
  );
});
