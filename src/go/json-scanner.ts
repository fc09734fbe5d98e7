import { goQuoteCharacter } from "./quote.js";

/** A text is not JSON. The message is Go's. */
export class GoJsonError extends Error {}

type Expectation = "value" | "firstElement" | "key" | "firstKey" | "colon" | "end";

const SPACE = /[ \t\r\n]*/y;
/** Characters of a string other than quote, backslash and control characters. */
const PLAIN_TEXT = /[ !#-[\]-\uffff]*/y;
const MAX_JSON_LEVELS = 10_000;
const LITERALS: ReadonlyMap<string, string> = new Map([
  ["t", "true"],
  ["f", "false"],
  ["n", "null"],
]);

/** Finds the end of the first JSON value in a text. Reports syntax errors with Go's messages. */
export class GoJsonScanner {
  readonly #text: string;
  readonly #open: ("{" | "[")[] = [];
  #at = 0;
  #expected: Expectation = "value";

  constructor(text: string) {
    this.#text = text;
  }

  /** @throws GoJsonError */
  endOfValue(): number {
    do {
      if (this.#next() <= " ") this.#skip(SPACE);
      this.#refuseEnd();
      this.#step(this.#next());
    } while (this.#open.length > 0 || this.#expected !== "end");
    return this.#at;
  }

  /** Checks that only white space follows. @throws GoJsonError */
  requireEnd(): void {
    this.#skip(SPACE);
    if (this.#at < this.#text.length) this.#fail("after top-level value");
  }

  #step(character: string): void {
    switch (this.#expected) {
      case "value":
        this.#value(character);
        break;
      case "firstElement":
        if (character === "]") this.#close();
        else this.#value(character);
        break;
      case "firstKey":
        if (character === "}") this.#close();
        else this.#key(character);
        break;
      case "key":
        this.#key(character);
        break;
      case "colon":
        if (character !== ":") this.#fail("after object key");
        this.#advance("value");
        break;
      case "end":
        this.#separator(character);
    }
  }

  #value(character: string): void {
    if (character === "{" || character === "[") {
      this.#enter(character);
      return;
    }
    if (character === '"') this.#string();
    else if (character === "-" || isDigit(character)) this.#number();
    else this.#literal(LITERALS.get(character));
    this.#expected = "end";
  }

  #key(character: string): void {
    if (character !== '"') this.#fail("looking for beginning of object key string");
    this.#string();
    this.#expected = "colon";
  }

  /** Reads what follows a value in an object or an array. */
  #separator(character: string): void {
    const inObject = this.#open.at(-1) === "{";
    if (character === ",") this.#advance(inObject ? "key" : "value");
    else if (character === (inObject ? "}" : "]")) this.#close();
    else this.#fail(inObject ? "after object key:value pair" : "after array element");
  }

  #enter(bracket: "{" | "["): void {
    if (this.#open.push(bracket) > MAX_JSON_LEVELS) this.#fail("exceeded max depth");
    this.#advance(bracket === "{" ? "firstKey" : "firstElement");
  }

  #close(): void {
    this.#open.pop();
    this.#advance("end");
  }

  #advance(expected: Expectation): void {
    this.#at++;
    this.#expected = expected;
  }

  #literal(literal: string | undefined): void {
    if (literal === undefined) this.#fail("looking for beginning of value");
    for (const letter of literal) {
      if (this.#next() !== letter) this.#fail(`in literal ${literal} (expecting '${letter}')`);
      this.#at++;
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      this.#skip(PLAIN_TEXT);
      this.#refuseEnd();
      const character = this.#next();
      if (character === '"') break;
      if (character === "\\") this.#escape();
      else this.#fail("in string literal");
    }
    this.#at++;
  }

  #escape(): void {
    this.#at++;
    const kind = this.#next();
    if (!/["\\/bfnrtu]/.test(kind)) this.#fail("in string escape code");
    this.#at++;
    for (let digits = kind === "u" ? 4 : 0; digits > 0; digits--) {
      if (!/[\da-f]/i.test(this.#next())) this.#fail("in \\u hexadecimal character escape");
      this.#at++;
    }
  }

  #number(): void {
    if (this.#next() === "-") this.#at++;
    if (this.#next() === "0") this.#at++;
    else this.#digits("in numeric literal");
    if (this.#next() === ".") {
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#next() !== "e" && this.#next() !== "E") return;
    this.#at++;
    if (this.#next() === "+" || this.#next() === "-") this.#at++;
    this.#digits("in exponent of numeric literal");
  }

  #digits(where: string): void {
    if (!isDigit(this.#next())) this.#fail(where);
    while (isDigit(this.#next())) this.#at++;
  }

  /** Skips the match of a sticky pattern. */
  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    // `exec` creates an array for each match, which takes most of the time.
    if (pattern.test(this.#text)) this.#at = pattern.lastIndex;
  }

  #refuseEnd(): void {
    if (this.#at === this.#text.length) throw new GoJsonError("unexpected end of JSON input");
  }

  /** Go treats the end of a text as a space. */
  #next(): string {
    return this.#text[this.#at] ?? " ";
  }

  /** Go scans bytes and reports each as one character. */
  #fail(where: string): never {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0x20);
    const byte = String.fromCharCode(Buffer.from(character)[0] ?? 0);
    throw new GoJsonError(`invalid character ${goQuoteCharacter(byte)} ${where}`);
  }
}

function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}
