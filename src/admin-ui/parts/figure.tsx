import type { ReactNode } from "react";

interface FigureProps {
  name: string;
  value: ReactNode;
  about: readonly string[];
}

/** One number that matters, with what is to be said about it; a `dl` is around it. */
export function Figure({ name, value, about }: FigureProps) {
  return (
    <div className="flex min-w-0 flex-col">
      <dt className="text-kumo-subtle text-sm">{name}</dt>
      <dd className="text-kumo-default text-2xl font-semibold tabular-nums">{value}</dd>
      {about.map((line) => (
        <dd key={line} className="text-kumo-subtle text-sm">
          {line}
        </dd>
      ))}
    </div>
  );
}
