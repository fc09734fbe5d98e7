/** A text on one line: line ends and other control characters, which could steer a terminal, escaped. */
export function oneLine(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
}
