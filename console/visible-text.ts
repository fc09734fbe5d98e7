/** A part of a text: as it is, or a character that could not be seen or would change what is around it. */
export type Piece = { readonly text: string } | { readonly mark: string; readonly title: string };

/**
 * Control and format characters (such as those that change the direction of a text), lone surrogates, U+FFFD, line and
 * paragraph separators, and spaces that look like others.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffd]|(?! )\p{Zs}/gu;

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x00, "null"],
  [0x07, "bell"],
  [0x09, "tab"],
  [0x0a, "line feed"],
  [0x0d, "carriage return"],
  [0x1b, "escape"],
  [0xa0, "no-break space"],
  [0xad, "soft hyphen"],
  [0x200b, "zero width space"],
  [0x200c, "zero width non-joiner"],
  [0x200d, "zero width joiner"],
  [0x200e, "left-to-right mark"],
  [0x200f, "right-to-left mark"],
  [0x202a, "left-to-right embedding"],
  [0x202b, "right-to-left embedding"],
  [0x202c, "pop directional formatting"],
  [0x202d, "left-to-right override"],
  [0x202e, "right-to-left override"],
  [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"],
  [0x2068, "first strong isolate"],
  [0x2069, "pop directional isolate"],
  [0xfeff, "byte order mark"],
  [0xfffd, "replacement character: a byte that is not UTF-8"],
]);

/** Splits a text for display. `kept`: characters that are shown as they are. */
export function piecesOf(text: string, kept = ""): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: character, index } of text.matchAll(UNSEEN)) {
    if (kept.includes(character)) continue;
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push(markOf(character));
    end = index + character.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

function markOf(character: string): Piece {
  const code = character.codePointAt(0) ?? 0;
  const mark = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const name = NAMES.get(code);
  return { mark, title: name === undefined ? mark : `${mark} ${name}` };
}

/** Whether a value is more like bytes than like a text. */
export function isBinary(value: string): boolean {
  return /[\ufffd\0]/.test(value) || /(?![\t\n\r])\p{Cc}/u.test(value);
}
