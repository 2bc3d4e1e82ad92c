const LONGEST = 500;

/** A page's address without what may be secret or content: no user, query, fragment or data. */
export function pageAddress(address: string): string {
  if (!URL.canParse(address)) return "";
  const url = new URL(address);
  if (url.protocol === "data:" || url.protocol === "blob:" || url.protocol === "javascript:") {
    return url.protocol;
  }
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  return url.href.slice(0, LONGEST);
}
