import { type Hint, hintText, libraryNames, messageOf, type OptionNames } from "./hint.js";

/** Optional parts of an {@link EtcdError}. */
export interface EtcdErrorParts {
  readonly cause?: unknown;
  /** Name of the option that the hint is about. */
  readonly option?: string;
  /** What to do. */
  readonly hint?: Hint;
}

/**
 * Base class of all errors of the library, except `TypeError` (such as `OptionError`) for misuse and `AbortError` for an aborted
 * call. Messages never contain credentials.
 */
export abstract class EtcdError extends Error {
  abstract override readonly name: string;
  /** Stable identifier, for code that cannot use `instanceof` and for log queries. */
  abstract readonly code: string;
  readonly #problem: string;
  readonly #option: string | undefined;
  readonly #hint: Hint | undefined;

  /** @internal */
  constructor(problem: string, { cause, option, hint }: EtcdErrorParts = {}) {
    super(messageOf(problem, hint, libraryNames), cause === undefined ? {} : { cause });
    this.#problem = problem;
    this.#option = option;
    this.#hint = hint;
  }

  /** Name of the option to add or to change, e.g. `ca`. Absent if no option would help. */
  get option(): string | undefined {
    return this.#option;
  }

  /** What to do. The message ends with it. Absent if the message says only what is wrong. */
  get hint(): string | undefined {
    return hintText(this.#hint, libraryNames);
  }

  /** The message with other names of options, such as those of a command line. */
  messageWith(nameOf: OptionNames): string {
    return messageOf(this.#problem, this.#hint, nameOf);
  }
}
