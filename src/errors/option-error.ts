import { type Hint, hintText, libraryNames, messageOf, type OptionNames } from "./hint.js";

/**
 * A `TypeError` that says which option, parameter or field of the caller is invalid. Nothing was sent.
 * The message never contains a secret.
 */
export class OptionError extends TypeError {
  readonly code = "ETCD_OPTION";
  /**
   * Name of the invalid option, e.g. `connectTimeout`, `urls[0]` or `tls.cert`. Several names are
   * separated by a comma and a space.
   */
  readonly option: string;
  readonly #problem: string;
  readonly #hint: Hint | undefined;

  /** @internal */
  constructor(option: string, problem: string, hint?: Hint, cause?: unknown) {
    const message = messageOf(`${option}: ${problem}`, hint, libraryNames);
    super(message, cause === undefined ? {} : { cause });
    this.option = option;
    this.#problem = problem;
    this.#hint = hint;
  }

  /** What to do. The message ends with it. Absent if the message says only what is wrong. */
  get hint(): string | undefined {
    return hintText(this.#hint, libraryNames);
  }

  /** The message with other names of options, such as those of a command line. */
  messageWith(nameOf: OptionNames): string {
    const names = this.option.split(", ").map(nameOf).join(", ");
    return messageOf(`${names}: ${this.#problem}`, this.#hint, nameOf);
  }
}
