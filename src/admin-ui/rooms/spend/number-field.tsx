import { Input } from "@cloudflare/kumo/components/input";

interface NumberFieldProps {
  label: string;
  description?: string;
  value: string;
  required?: boolean;
  whole?: boolean;
  least?: number;
  onChange(value: string): void;
}

/** The browser checks the number before a form is sent. */
export function NumberField(props: NumberFieldProps) {
  const { label, description, value, required = false, whole = false, least = 0 } = props;
  return (
    <Input
      label={label}
      {...(description === undefined ? {} : { description })}
      type="number"
      inputMode={whole ? "numeric" : "decimal"}
      min={least}
      step={whole ? 1 : "any"}
      value={value}
      {...(required ? { required } : {})}
      onChange={(event) => props.onChange(event.target.value)}
    />
  );
}

/** Undefined for an empty field. */
export function numberOf(text: string): number | undefined {
  return text.trim() === "" ? undefined : Number(text);
}
