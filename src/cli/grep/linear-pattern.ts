import {
  type Assertion,
  type CharacterTest,
  isWord,
  type PatternNode,
  parsePattern,
} from "./parse-pattern.js";

/** The time for a character of a text grows with the number of instructions. */
const MAX_INSTRUCTIONS = 1_000;

type Instruction =
  | { readonly op: "character"; readonly test: CharacterTest }
  | { readonly op: "assert"; readonly assertion: Assertion }
  /** Continues at the next instruction and at another one. */
  | { readonly op: "split"; other: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "match" };

const NONE = -1;
const NEWLINE = 10;

/**
 * A regular expression whose search takes time in proportion to the text, whatever the pattern: all ways to match are
 * followed at the same time (Thompson's algorithm). A pattern of a user must not stop the process, as one for `RegExp`
 * can.
 */
export class LinearPattern {
  readonly #program: Instruction[] = [];
  /** The step at which an instruction was last reached. */
  readonly #reached: Float64Array;
  #step = 0;
  #copies = 0;

  /** @throws Error when the pattern is not supported */
  constructor(pattern: string, ignoreCase: boolean) {
    this.#compile(parsePattern(pattern, ignoreCase));
    this.#emit({ op: "match" });
    this.#reached = new Float64Array(this.#program.length);
  }

  /** Whether the pattern occurs in a text. */
  test(text: string): boolean {
    let waiting: number[] = [];
    let before = NONE;
    for (let at = 0; ; ) {
      const code = text.codePointAt(at) ?? NONE;
      this.#step++;
      const reached: number[] = [];
      // A match may begin anywhere.
      for (const start of [...waiting, 0]) {
        if (this.#follow(start, before, code, reached)) return true;
      }
      if (code === NONE) return false;
      waiting = reached.filter((each) => {
        const instruction = this.#program[each];
        return instruction?.op === "character" && instruction.test(code);
      });
      waiting = waiting.map((each) => each + 1);
      before = code;
      at += code > 0xffff ? 2 : 1;
    }
  }

  /** Collects the characters that can come next. Returns whether the pattern has matched. */
  #follow(start: number, before: number, after: number, reached: number[]): boolean {
    const pending = [start];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (this.#reached[at] === this.#step) continue;
      this.#reached[at] = this.#step;
      const instruction = this.#program[at];
      switch (instruction?.op) {
        case "match":
          return true;
        case "character":
          reached.push(at);
          break;
        case "split":
          pending.push(instruction.other, at + 1);
          break;
        case "jump":
          pending.push(instruction.to);
          break;
        case "assert":
          if (holds(instruction.assertion, before, after)) pending.push(at + 1);
      }
    }
    return false;
  }

  #compile(node: PatternNode): void {
    switch (node.type) {
      case "character":
        this.#emit({ op: "character", test: node.test });
        return;
      case "assertion":
        this.#emit({ op: "assert", assertion: node.assertion });
        return;
      case "sequence":
        for (const part of node.parts) this.#compile(part);
        return;
      case "choice":
        this.#compileChoice(node.parts);
        return;
      case "repeat":
        this.#compileRepeat(node.part, node.min, node.max);
    }
  }

  #compileChoice(parts: readonly PatternNode[]): void {
    const jumps = parts.slice(0, -1).map((part) => {
      const split = this.#emit({ op: "split", other: NONE });
      this.#compile(part);
      const jump = this.#emit({ op: "jump", to: NONE });
      split.other = this.#program.length;
      return jump;
    });
    const [last] = parts.slice(-1);
    if (last !== undefined) this.#compile(last);
    for (const jump of jumps) jump.to = this.#program.length;
  }

  #compileRepeat(part: PatternNode, min: number, max: number): void {
    for (let copy = 0; copy < min; copy++) this.#copy(part);
    if (max === Number.POSITIVE_INFINITY) {
      const start = this.#program.length;
      const split = this.#emit({ op: "split", other: NONE });
      this.#copy(part);
      this.#emit({ op: "jump", to: start });
      split.other = this.#program.length;
      return;
    }
    const splits = Array.from({ length: max - min }, () => {
      const split = this.#emit({ op: "split", other: NONE });
      this.#copy(part);
      return split;
    });
    for (const split of splits) split.other = this.#program.length;
  }

  /** Counts copies too: those of an empty group have no instructions. */
  #copy(part: PatternNode): void {
    if (++this.#copies > MAX_INSTRUCTIONS) throw tooLarge();
    this.#compile(part);
  }

  #emit<I extends Instruction>(instruction: I): I {
    if (this.#program.length >= MAX_INSTRUCTIONS) throw tooLarge();
    this.#program.push(instruction);
    return instruction;
  }
}

function tooLarge(): Error {
  return new Error("the pattern is too large; use smaller numbers in {…}");
}

function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case "line-start":
      return before === NONE || before === NEWLINE;
    case "line-end":
      return after === NONE || after === NEWLINE;
    case "word-boundary":
      return isWord(before) !== isWord(after);
    case "no-word-boundary":
      return isWord(before) === isWord(after);
  }
}
