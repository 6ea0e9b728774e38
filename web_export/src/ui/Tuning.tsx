import { useRef, useState } from "react";
import { BACKEND_NAMES, type Choice } from "../names";
import { columns, type Field } from "../labels";
import type { Direction } from "../manifest";
import { FAR, withMove } from "../moves";
import type { Step } from "../request";
import { columnWord, phrase } from "../words";
import { PLAIN, tuned } from "../settings";
import { usePage, useStill } from "./context";
import { offer } from "./files";
import { Icon } from "./icons";
import { NumberBox, Slider } from "./inputs";

export function Tuning() {
  const { studio, state, say } = usePage("manifest", "settings", "choice");
  const { settings } = state;
  const file = useRef<HTMLInputElement>(null);
  // A slider for each of a model's attributes: made when they are looked at.
  const [open, setOpen] = useState(false);
  if (!settings || !studio.model) return null;
  const { truncation, vary, large } = settings;
  const { upscaler, width, leastTruncation: lowest } = studio.model;
  const step = vary.at(-1) ?? { seed: 0, index: null, strength: 0 };
  const last = (change: Partial<Step>) => ({ vary: [...vary.slice(0, -1), { ...step, ...change }] });
  return (
    <details className="card tuning" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <h2>{say("advanced")}</h2>
      </summary>
      <div className="stack">
        {(settings.latent === null || vary.length > 0) && (
          <Slider
            label={say("typical")}
            hint={lowest !== null && truncation < lowest ? say("typicalWorse", { lowest }) : say("typicalHint")}
            value={truncation}
            least={0}
            most={2}
            step={0.05}
            digits={2}
            onChange={(x) => studio.change({ truncation: x }, true)}
          />
        )}
        <Slider
          label={say("vary")}
          value={step.strength}
          least={0}
          most={1}
          step={0.01}
          digits={2}
          onChange={(strength) => studio.change(last({ strength }), true)}
        />
        <div className="pair">
          <NumberBox
            label={say("varySeed")}
            value={step.seed}
            most={Number.MAX_SAFE_INTEGER}
            onChange={(seed) => studio.change(last({ seed }))}
          />
          <NumberBox
            label={say("index")}
            value={settings.index}
            most={2 ** 32 - 1}
            onChange={(index) => studio.change({ index })}
          />
        </div>
        {vary.length > 1 && <p className="quiet">{say("steps", { count: vary.length })}</p>}
        {upscaler && (
          <label className="switch">
            <input
              type="checkbox"
              checked={large}
              onChange={(event) => studio.change({ large: event.target.checked })}
            />
            {say("enlarge", { size: width * upscaler.factor })}
          </label>
        )}
        {open && studio.model.fields.length > 0 && <Sliders fields={studio.model.fields} />}
        {open && studio.model.directions.length > 0 && <Directions directions={studio.model.directions} />}
        <button
          type="button"
          className="soft"
          disabled={!tuned(settings) && large}
          onClick={() => studio.change({ ...PLAIN, large: true })}
        >
          <Icon name="cross" /> {say("reset")}
        </button>
        <div className="box">
          <label htmlFor="backend">{say("backend")}</label>
          <select
            id="backend"
            value={state.choice}
            onChange={(event) => studio.chooseBackend(event.target.value as Choice)}
          >
            <option value="auto">{say("auto")}</option>
            {Object.entries(BACKEND_NAMES).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <div className="pair">
          <button
            type="button"
            className="soft"
            onClick={() => offer(studio.address.file(), "tfanime-settings.json")}
          >
            <Icon name="save" /> {say("exportSettings")}
          </button>
          <button type="button" className="soft" onClick={() => file.current?.click()}>
            <Icon name="load" /> {say("importSettings")}
          </button>
          <input
            ref={file}
            type="file"
            hidden
            aria-label={say("importSettings")}
            accept=".json,application/json"
            onChange={(event) => {
              const [chosen] = event.target.files ?? [];
              event.target.value = "";
              if (chosen) void studio.address.read(chosen);
            }}
          />
        </div>
      </div>
    </details>
  );
}

/** Every column of the schema, from -1 to 1. Untouched ones follow the drawn labels. */
function Sliders({ fields }: { fields: Field[] }) {
  const { studio, state, language, say } = usePage("settings", "shot");
  const { settings, shot } = state;
  if (!settings) return null;
  return (
    <details className="sliders">
      <summary>{say("sliders")}</summary>
      <div className="stack">
        <p className="quiet">{say("slidersHint")}</p>
        {columns(fields).map(({ name, field, value }, i) => {
          const shown = phrase(field, value, language);
          const { [name]: own, ...others } = settings.sliders;
          return (
            <div className="value" key={name}>
              <Slider
                label={shown}
                value={own ?? Math.max(-1, Math.min(1, shot?.labels?.[i] ?? 0))}
                least={-1}
                most={1}
                step={0.05}
                digits={2}
                onChange={(x) => studio.change({ sliders: { ...others, [name]: x } }, true)}
              />
              <Undo word={shown} idle={own === undefined} onUndo={() => studio.change({ sliders: others })} />
            </div>
          );
        })}
      </div>
    </details>
  );
}

/** Every direction that was found for the model. What one changes stands below those whose name does
 * not say it. */
function Directions({ directions }: { directions: Direction[] }) {
  const { studio, state, language, say } = usePage("settings");
  const { settings } = state;
  if (!settings) return null;
  const list = new Intl.ListFormat(language, { type: "unit" });
  return (
    <details className="sliders directions">
      <summary>{say("directions")}</summary>
      <div className="stack">
        <p className="quiet">{say("directionsHint")}</p>
        {directions.map(({ name, changes }) => {
          const shown = columnWord(name, language);
          const said = changes.map(([column, x]) => `${columnWord(column, language)} ${x < 0 ? "−" : "+"}`);
          const own = changes.some(([column]) => column === name);
          return (
            <div className="value" key={name}>
              <Slider
                label={shown}
                hint={own ? undefined : list.format(said) || undefined}
                value={settings.move[name] ?? 0}
                least={-FAR}
                most={FAR}
                step={0.1}
                digits={1}
                onChange={(far) => studio.change(withMove(settings, name, far), true)}
              />
              <Undo
                word={shown}
                idle={!settings.move[name]}
                onUndo={() => studio.change(withMove(settings, name, 0))}
              />
            </div>
          );
        })}
      </div>
    </details>
  );
}

function Undo({ word, idle, onUndo }: { word: string; idle: boolean; onUndo: () => void }) {
  const { say } = useStill();
  return (
    <button
      type="button"
      className="round"
      disabled={idle}
      aria-label={say("sliderReset", { word })}
      onClick={onUndo}
    >
      <Icon name="cross" />
    </button>
  );
}
