/** Texts that a shell takes as one word without quotes. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Characters that could control a terminal, in the list of words that a shell reads. */
const CONTROL = /[\p{Cc}\p{Cf}]/u;
const CONTROL_OR_QUOTE = /[\p{Cc}\p{Cf}'\\]/gu;

/** One word of a shell's command line. Control characters need bash, zsh or ksh. */
function quoted(word: string): string {
  if (PLAIN.test(word)) return word;
  if (!CONTROL.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  return `$'${word.replace(CONTROL_OR_QUOTE, escaped)}'`;
}

function escaped(character: string): string {
  const bytes = [...Buffer.from(character)];
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

export function commandLine(...words: readonly string[]): string {
  return words.map(quoted).join(" ");
}
