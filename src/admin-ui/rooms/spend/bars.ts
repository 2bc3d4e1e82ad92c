/** A bar chart as plain data, and as the option of the library that draws it. Pure. */
import type { EChartsCoreOption } from "echarts/core";

export interface BarChart {
  /** One bar each. */
  labels: string[];
  /** Stacked on each other. */
  series: { name: string; tone: Tone; values: number[] }[];
  /** Along the page: for long names. */
  lying: boolean;
  format(value: number): string;
}

export type Tone = "main" | "faint" | "bad";
export type Mode = "light" | "dark";

const COLOURS: Record<Mode, Record<Tone | "text" | "line" | "back", string>> = {
  light: {
    main: "#1d6ff2",
    faint: "#a9c8fb",
    bad: "#c92a2a",
    text: "#525252",
    line: "#e5e5e5",
    back: "#ffffff",
  },
  dark: {
    main: "#5b9dff",
    faint: "#274a80",
    bad: "#ff6b6b",
    text: "#a3a3a3",
    line: "#333333",
    back: "#1c1c1c",
  },
};

export function barsOption(chart: BarChart, mode: Mode, still: boolean): EChartsCoreOption {
  const colours = COLOURS[mode];
  const names = {
    type: "category",
    data: chart.labels,
    axisLabel: {
      color: colours.text,
      hideOverlap: true,
      ...(chart.lying ? { width: 130, overflow: "truncate" } : {}),
    },
    axisLine: { lineStyle: { color: colours.line } },
    axisTick: { show: false },
    // The first row of a table is at its top.
    inverse: chart.lying,
  };
  const values = {
    type: "value",
    splitNumber: 3,
    axisLabel: { color: colours.text, hideOverlap: true, formatter: chart.format },
    splitLine: { lineStyle: { color: colours.line } },
  };
  return {
    animation: !still,
    animationDuration: 300,
    grid: { left: 4, right: 12, top: 12, bottom: 4, outerBoundsMode: "same" },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow" },
      // Drawn, not written into the page: its policy takes no markup from a script.
      renderMode: "richText",
      valueFormatter: (value: unknown) => chart.format(Number(value)),
      backgroundColor: colours.back,
      borderColor: colours.line,
      textStyle: { color: colours.text },
    },
    xAxis: chart.lying ? values : names,
    yAxis: chart.lying ? names : values,
    series: chart.series.map(({ name, tone, values: data }) => ({
      type: "bar",
      name,
      data,
      stack: "all",
      barMaxWidth: 28,
      itemStyle: { color: colours[tone], borderRadius: 2 },
    })),
  };
}
