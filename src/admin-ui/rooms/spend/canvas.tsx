import { BarChart as Bars } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register, type ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { barsOption, type BarChart, type Mode } from "./bars.ts";

register([Bars, GridComponent, TooltipComponent, CanvasRenderer]);

/** Draws into the size its surroundings give it, and again when that, the theme or the data changes. */
export function Canvas({ chart }: { chart: BarChart }) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<ECharts>(undefined);
  const mode = useSyncExternalStore(watchMode, shownMode);

  useEffect(() => {
    if (box.current === null) return undefined;
    const charts = init(emptiable(box.current));
    drawn.current = charts;
    const sizes = new ResizeObserver(() => charts.resize());
    sizes.observe(box.current);
    return () => {
      sizes.disconnect();
      charts.dispose();
    };
  }, []);

  useEffect(() => {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    drawn.current?.setOption(barsOption(chart, mode, still), { notMerge: true });
  }, [chart, mode]);

  return <div ref={box} className="size-full" />;
}

/**
 * The library empties its element by an assignment to `innerHTML`, which the page's policy refuses
 * whatever is assigned. On this element that name empties, and can do nothing else.
 */
function emptiable(element: HTMLElement): HTMLElement {
  Object.defineProperty(element, "innerHTML", {
    configurable: true,
    set() {
      element.replaceChildren();
    },
  });
  return element;
}

function shownMode(): Mode {
  return document.documentElement.dataset["mode"] === "dark" ? "dark" : "light";
}

function watchMode(changed: () => void): () => void {
  const watcher = new MutationObserver(changed);
  watcher.observe(document.documentElement, { attributeFilter: ["data-mode"] });
  return () => watcher.disconnect();
}
