const CONTROLS = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/** JSON in one line, without characters that control a terminal or end a line. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(CONTROLS, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
