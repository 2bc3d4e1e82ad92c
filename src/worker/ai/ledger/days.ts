/** Days and months are UTC: they begin everywhere at the same moment and never twice. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

export function monthStart(day: string): string {
  return `${day.slice(0, 7)}-01`;
}
