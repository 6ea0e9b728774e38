import { useEffect, useId, useState } from "react";

interface NumberProps {
  label: string;
  value: number;
  least?: number;
  most: number;
  onChange: (value: number) => void;
}

/** A whole number that is taken when it is complete: at Enter or on leaving the box. */
export function NumberBox({ label, value, least = 0, most, onChange }: NumberProps) {
  const id = useId();
  const [typed, setTyped] = useState(String(value));
  useEffect(() => setTyped(String(value)), [value]);
  const take = () => {
    const number = Number(typed);
    if (typed.trim() && Number.isSafeInteger(number) && number >= least && number <= most) {
      if (number !== value) onChange(number);
    } else setTyped(String(value));
  };
  return (
    <div className="box">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        inputMode="numeric"
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => event.key === "Enter" && take()}
      />
    </div>
  );
}

interface SliderProps {
  label: string;
  value: number;
  least: number;
  most: number;
  step: number;
  digits?: number;
  hint?: string;
  onChange: (value: number) => void;
}

export function Slider({ label, value, least, most, step, digits = 0, hint, onChange }: SliderProps) {
  const id = useId();
  return (
    <div className="slider">
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{value.toFixed(digits)}</output>
      <input
        id={id}
        type="range"
        min={least}
        max={most}
        step={step}
        value={value}
        aria-describedby={hint && `${id}-hint`}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      {hint && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
    </div>
  );
}
