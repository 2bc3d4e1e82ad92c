/** What will happen, one line each, under a question. */
export function Consequences({ lines }: { lines: readonly string[] }) {
  return (
    <ul className="text-kumo-default mt-3 flex list-disc flex-col gap-1 pl-5">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
