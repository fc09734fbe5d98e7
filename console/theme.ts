const ITEM = "etcdnet-theme";

export type Theme = "system" | "light" | "dark";

export function currentTheme(): Theme {
  const stored = localStorage.getItem(ITEM);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Sets the theme of the page; without one, that of the system. */
export function applyTheme(theme = currentTheme()): void {
  localStorage.setItem(ITEM, theme);
  document.documentElement.dataset.theme = theme;
}
