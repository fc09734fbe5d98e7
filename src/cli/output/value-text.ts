import { jsonText } from "./json-text.js";

/** Longer values are cut. */
const MAX_VALUE_LENGTH = 60;

/** A value in quotes, on one line. */
export function valueText(value: string): string {
  const characters = [...value.slice(0, 2 * MAX_VALUE_LENGTH)];
  if (characters.length <= MAX_VALUE_LENGTH) return jsonText(value);
  const start = characters.slice(0, MAX_VALUE_LENGTH).join("");
  return `${jsonText(start)}… (${Buffer.byteLength(value)} bytes)`;
}
