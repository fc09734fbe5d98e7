/** The words of a shell line that is not finished; the last one is at the cursor, and may be empty. */
export function lineWords(line: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (quote === "'" ? character === "'" : quote !== "" && character === quote) quote = "";
    else if (character === "\\" && quote !== "'") word += line.charAt(++at);
    else if (quote !== "") word += character;
    else if (character === '"' || character === "'") quote = character;
    else if (/\s/.test(character)) {
      if (word !== "" || /["']/.test(line.charAt(at - 1))) words.push(word);
      word = "";
    } else word += character;
  }
  return [...words, word];
}
