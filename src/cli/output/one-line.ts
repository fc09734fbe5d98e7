/** Escapes line ends and other control characters, which could control a terminal. */
export function oneLine(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
}
