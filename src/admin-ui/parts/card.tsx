import { LayerCard } from "@cloudflare/kumo/components/layer-card";
import { useId, type ReactNode } from "react";

interface CardProps {
  title: string;
  /** Beside the title. */
  aside?: ReactNode;
  children: ReactNode;
}

/** One matter of a room, named by its heading for those who do not see it. */
export function Card({ title, aside, children }: CardProps) {
  const heading = useId();
  return (
    <LayerCard render={<section aria-labelledby={heading} />}>
      <LayerCard.Secondary className="flex flex-wrap items-center justify-between gap-2">
        <h2 id={heading} className="text-kumo-default font-medium">
          {title}
        </h2>
        {aside}
      </LayerCard.Secondary>
      <LayerCard.Primary className="min-w-0 overflow-hidden">{children}</LayerCard.Primary>
    </LayerCard>
  );
}
