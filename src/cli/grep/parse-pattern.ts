/** Whether a character, as a code point, belongs to a set. */
export type CharacterTest = (code: number) => boolean;

/** A condition on the place between two characters. */
export type Assertion = "line-start" | "line-end" | "word-boundary" | "no-word-boundary";

/** A regular expression as a tree. */
export type PatternNode =
  | { readonly type: "character"; readonly test: CharacterTest }
  | { readonly type: "assertion"; readonly assertion: Assertion }
  | { readonly type: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly type: "choice"; readonly parts: readonly PatternNode[] }
  | {
      readonly type: "repeat";
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
    };

const MAX_LENGTH = 1_000;
const NEWLINE = 10;

const isDigit: CharacterTest = (code) => code >= 48 && code <= 57;
const isSpace: CharacterTest = (code) => /\s/.test(String.fromCodePoint(code));
export const isWord: CharacterTest = (code) =>
  isDigit(code) || code === 95 || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

const not =
  (test: CharacterTest): CharacterTest =>
  (code) =>
    !test(code);

const CLASSES: ReadonlyMap<string, CharacterTest> = new Map([
  ["d", isDigit],
  ["D", not(isDigit)],
  ["w", isWord],
  ["W", not(isWord)],
  ["s", isSpace],
  ["S", not(isSpace)],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["n", NEWLINE],
  ["r", 13],
  ["t", 9],
]);

/**
 * Parses the regular expressions that a linear search can execute: those of JavaScript without back references and
 * lookaround. `^` and `$` match at each line. Groups do not capture.
 *
 * @throws Error naming the position
 */
export function parsePattern(pattern: string, ignoreCase: boolean): PatternNode {
  if (pattern.length > MAX_LENGTH) {
    throw new Error(`the pattern is longer than ${MAX_LENGTH} characters`);
  }
  return new PatternParser(pattern, ignoreCase).parse();
}

class PatternParser {
  readonly #characters: readonly string[];
  readonly #ignoreCase: boolean;
  #at = 0;

  constructor(pattern: string, ignoreCase: boolean) {
    this.#characters = [...pattern];
    this.#ignoreCase = ignoreCase;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#peek() !== undefined) throw this.#error("a ) has no (");
    return node;
  }

  #choice(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    return { type: "choice", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; ) {
      parts.push(this.#repeated(this.#atom()));
      next = this.#peek();
    }
    return { type: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    const count = this.#count();
    if (count === undefined) return part;
    // Whether a repetition is lazy decides what matches, not whether.
    this.#take("?");
    if (this.#count() !== undefined) throw this.#error("nothing to repeat");
    return { type: "repeat", part, ...count };
  }

  #count(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { min: 0, max: 1 };
    const rest = this.#characters.slice(this.#at, this.#at + 16).join("");
    const [all, first, comma, second = ""] = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(rest) ?? [];
    if (all === undefined) return undefined;
    this.#at += all.length;
    const min = Number(first);
    const max = comma === "" ? min : second === "" ? Number.POSITIVE_INFINITY : Number(second);
    if ((comma === "" && second !== "") || max < min) throw this.#error(`${all} is no range`);
    return { min, max };
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return this.#character(this.#set());
      case ".":
        return this.#character((code) => code !== NEWLINE);
      case "^":
        return { type: "assertion", assertion: "line-start" };
      case "$":
        return { type: "assertion", assertion: "line-end" };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#error("nothing to repeat");
      default:
        return this.#character(equals(character));
    }
  }

  #group(): PatternNode {
    if (this.#take("?") && !this.#take(":")) {
      throw this.#error("(? is supported as (?: only; lookaround is not linear");
    }
    const node = this.#choice();
    if (!this.#take(")")) throw this.#error("a ( has no )");
    return node;
  }

  #escape(): PatternNode {
    const character = this.#next();
    if (character === "b") return { type: "assertion", assertion: "word-boundary" };
    if (character === "B") return { type: "assertion", assertion: "no-word-boundary" };
    return this.#character(CLASSES.get(character) ?? equals(this.#escaped(character)));
  }

  /** The character that an escape stands for. */
  #escaped(character: string): string {
    const control = CONTROLS.get(character);
    if (control !== undefined) return String.fromCodePoint(control);
    if (!/[\dA-Za-z]/.test(character)) return character;
    throw this.#error(`\\${character} is not supported`);
  }

  #set(): CharacterTest {
    const isNegated = this.#take("^");
    const tests: CharacterTest[] = [];
    while (!this.#take("]")) tests.push(this.#setItem());
    const test: CharacterTest = (code) => tests.some((each) => each(code));
    return isNegated ? not(this.#folded(test)) : test;
  }

  #setItem(): CharacterTest {
    const first = this.#setCharacter();
    if (typeof first !== "string") return first;
    const isRange = this.#peek() === "-" && this.#characters[this.#at + 1] !== "]";
    if (!isRange) return equals(first);
    this.#next();
    const last = this.#setCharacter();
    if (typeof last !== "string") throw this.#error("a range ends with a class");
    const [from, to] = [codeOf(first), codeOf(last)];
    if (from > to) throw this.#error(`${first}-${last} is no range`);
    return (code) => code >= from && code <= to;
  }

  #setCharacter(): string | CharacterTest {
    const character = this.#next("a [ has no ]");
    if (character !== "\\") return character;
    const escaped = this.#next();
    return CLASSES.get(escaped) ?? this.#escaped(escaped);
  }

  #character(test: CharacterTest): PatternNode {
    return { type: "character", test: this.#folded(test) };
  }

  #folded(test: CharacterTest): CharacterTest {
    if (!this.#ignoreCase) return test;
    return (code) => {
      const text = String.fromCodePoint(code);
      return test(code) || test(codeOf(text.toLowerCase())) || test(codeOf(text.toUpperCase()));
    };
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #next(problem = "it ends too early"): string {
    const character = this.#peek();
    if (character === undefined) throw this.#error(problem);
    this.#at++;
    return character;
  }

  #error(problem: string): Error {
    return new Error(`the pattern is not supported at character ${this.#at}: ${problem}`);
  }
}

function equals(character: string): CharacterTest {
  const expected = codeOf(character);
  return (code) => code === expected;
}

/** The only code point of a text; of more than one, as `ß` in upper case, none that matches. */
function codeOf(text: string): number {
  const code = text.codePointAt(0) ?? -1;
  return text.length === String.fromCodePoint(Math.max(0, code)).length ? code : -1;
}
