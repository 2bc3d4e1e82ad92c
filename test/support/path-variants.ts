/** Other spellings of a path that some reader on the way takes for the same one. */
export const PATH_VARIANTS: Record<string, (path: string) => string> = {
  "an escaped letter": (path) =>
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  "a twice escaped letter": (path) =>
    path.replace(/[a-z]/, (letter) => `%25${letter.charCodeAt(0).toString(16)}`),
  "an upper case letter": (path) => path.replace(/[a-z]/, (letter) => letter.toUpperCase()),
  "all upper case": (path) => path.toUpperCase(),
  "two slashes in front": (path) => `/${path}`,
  "two slashes inside": (path) => path.replace(/(.)\//, "$1//").replace(/^(\/[^/]*)$/, "/$1"),
  "an escaped slash": (path) => `${path}%2f`,
  "an escaped slash in front": (path) => `/%2f${path.slice(1)}`,
  "an escaped backslash": (path) => `${path}%5c`,
  "a way up and down": (path) => `/x%2f..${path}`,
  "an escaped way up": (path) => `/x/%2e%2e%2f${path.slice(1)}`,
  "an escaped dot": (path) => `${path}%2e`,
  "a trailing dot": (path) => `${path}.`,
  "a NUL": (path) => `${path}%00`,
  "a newline": (path) => `${path}%0a`,
  "a parameter": (path) => `${path};x=1`,
  "a parameter in front": (path) => `/;x${path}`,
  "a broken escape": (path) => `${path}%zz`,
  "a cut escape": (path) => `${path}%2`,
  "no UTF-8": (path) => `${path}%ff`,
  "an overlong slash": (path) => `${path}%c0%af`,
  "a full-width letter": (path) => path.replace(/[a-z]/, "%ef%bd%81"),
  "a Cyrillic lookalike": (path) => path.replace(/[a-z]/, "%d0%b0"),
  "a zero-width space": (path) => `${path}%e2%80%8b`,
};
