import { useId } from "react";

interface TextProps {
  label: string;
  value: string;
  most: number;
  rows?: number;
  placeholder?: string;
  hint?: string;
  onChange: (value: string) => void;
}

export function TextBox({ label, value, most, rows, placeholder, hint, onChange }: TextProps) {
  const id = useId();
  const props = {
    id,
    value,
    placeholder,
    maxLength: most,
    autoComplete: "off",
    "aria-describedby": hint && `${id}-hint`,
  };
  return (
    <div className="text-box">
      <label htmlFor={id}>{label}</label>
      {rows ? (
        <textarea {...props} rows={rows} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...props} onChange={(event) => onChange(event.target.value)} />
      )}
      {hint && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: Record<T, string>;
  onChange: (value: T) => void;
}

export function Choice<T extends string>({ label, value, choices, onChange }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="box">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value as T)}>
        {(Object.entries(choices) as [T, string][]).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
