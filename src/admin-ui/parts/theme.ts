import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "moltworker-theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function stored(): Theme {
  const theme = localStorage.getItem(KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** Follows the system until the reader chooses. */
export function useTheme(): { theme: Theme; next(): void } {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    function apply(): void {
      const mode = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
      document.documentElement.dataset["mode"] = mode;
    }
    apply();
    dark.addEventListener("change", apply);
    return () => dark.removeEventListener("change", apply);
  }, [theme]);
  return {
    theme,
    next: () => {
      localStorage.setItem(KEY, NEXT[theme]);
      setTheme(NEXT[theme]);
    },
  };
}
