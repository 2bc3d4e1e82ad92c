export interface TableProps {
  label: string;
  head: string[];
  /** The first cell names its row; the others are numbers. */
  rows: string[][];
}

/** Wider than a phone it scrolls by itself, also with the keyboard. */
export function Table({ label, head, rows }: TableProps) {
  return (
    <div
      role="region"
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className="overflow-x-auto"
    >
      <table className="w-full text-sm tabular-nums">
        <thead>
          <tr>
            {head.map((name, column) => (
              <th
                key={name}
                scope="col"
                className={`text-kumo-subtle py-1 font-medium ${column === 0 ? "text-left" : "pl-4 text-right"}`}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...cells]) => (
            <tr key={name} className="border-kumo-line border-t">
              <th scope="row" className="py-1 text-left font-normal wrap-anywhere">
                {name}
              </th>
              {cells.map((cell, column) => (
                <td key={head[column + 1]} className="py-1 pl-4 text-right whitespace-nowrap">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
