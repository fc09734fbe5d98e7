import { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { AbortError } from "../../errors/abort-error.js";
import { InvalidValueError } from "../../errors/invalid-value-error.js";
import { refuseUnknown } from "../../model/option-names.js";
import type { Mirror } from "../mirror/mirror.js";
import type { MirrorChange } from "../mirror/mirror-change.js";
import { emitError, emitSafely } from "../shared/emit-safely.js";
import { isWithin } from "../shared/key-path.js";
import { type ConfigSchema, checkSchema } from "./config-schema.js";
import { checkSettingsKey, complaint, settingsAt } from "./config-settings.js";

/** Options of {@link config}. */
export interface ConfigOptions {
  /**
   * The key that holds the settings.
   *
   * @default the mirrored key
   */
  readonly key?: string;
  /**
   * Makes a value of a file's text, e.g. `JSON.parse`.
   *
   * @default the text as it is
   */
  readonly parse?: (text: string) => unknown;
}

/** Settings took effect. */
export interface ConfigChange<T> {
  readonly current: T;
  /** What was in effect before; `undefined` when nothing valid was there. */
  readonly previous: T | undefined;
}

interface ConfigEvents<T> {
  change: [ConfigChange<T>];
  error: [Error];
}

/**
 * Typed settings that follow a subtree of a mirror.
 *
 * A directory becomes an object with what is in it, a file its text or what `parse` makes of that; a
 * key that does not exist is `undefined`, for the schema to judge. The whole is validated when
 * something in it has changed, at one index of the mirror. What is valid is `current` from then on;
 * what is not is told as an `error`, and the last valid settings stay.
 *
 * With a schema that validates asynchronously, settings take effect in the order in which they were
 * written: what was found about older ones is dropped once newer ones are settled.
 *
 * Events: `change` when `current` becomes another value, save for the first, which `ready` tells;
 * `error`. They are told as those of a {@link Mirror}. It ends with its mirror.
 */
export class Config<T> extends EventEmitter<ConfigEvents<T>> implements Disposable {
  /**
   * The first settings. Rejects with `InvalidValueError` when they are not valid, and with the
   * mirror's error when they cannot be read; later ones may take effect all the same. Rejects with
   * `AbortError` when it is closed before.
   */
  readonly ready: Promise<T>;
  readonly #mirror: Mirror;
  readonly #schema: ConfigSchema<T>;
  readonly #key: string;
  readonly #parse: (text: string) => unknown;
  #settleReady: { resolve(value: T): void; reject(error: Error): void } | undefined;
  #valid: { readonly value: T } | undefined;
  #failure: Error | undefined;
  #isDue = false;
  /** Validations are numbered; the last one that was begun, and the last that was heard. */
  #begun = 0;
  #heard = 0;
  #isClosed = false;

  constructor(mirror: Mirror, schema: ConfigSchema<T>, options: ConfigOptions) {
    super();
    const { key = mirror.key, parse = (text) => text } = options;
    this.#mirror = mirror;
    this.#schema = schema;
    this.#key = key;
    this.#parse = parse;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // The same is told as an error: nobody has to wait for it.
    this.ready.catch(() => {});
    mirror.on("change", this.#onChange).on("resync", this.#validateSoon);
    // One that failed at first may have loaded since, and tells of its failure for ever.
    if (mirror.index > 0) this.#validateSoon();
    else mirror.ready.then(this.#validateSoon, this.#rejectReady);
  }

  /**
   * The settings in effect: the last ones that were valid. The same object until they change; it is
   * not for changing.
   *
   * @throws TypeError when there were none yet; its `cause` is what was wrong
   */
  get current(): T {
    if (this.#valid !== undefined) return this.#valid.value;
    throw new TypeError(`the settings at ${this.#key} have not been valid yet; await "ready"`, {
      cause: this.#failure,
    });
  }

  /** Stops following; `current` stays. */
  close(): void {
    this.#isClosed = true;
    this.#mirror.off("change", this.#onChange).off("resync", this.#validateSoon);
    const reason = new Error("the settings were closed");
    this.#settleReady?.reject(
      new AbortError(`loading the settings at ${this.#key}`, reason, "none"),
    );
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #onChange = ({ key }: MirrorChange): void => {
    if (isWithin(key, this.#key)) this.#validateSoon();
  };

  /** Once for all changes of one event. */
  readonly #validateSoon = (): void => {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      void this.#validate();
    });
  };

  async #validate(): Promise<void> {
    const number = ++this.#begun;
    const result = await this.#result();
    if (this.#isClosed || number < this.#heard) return;
    this.#heard = number;
    if (result instanceof InvalidValueError) this.#refuse(result);
    else this.#accept(result.value);
  }

  async #result(): Promise<{ readonly value: T } | InvalidValueError> {
    try {
      const settings = settingsAt(this.#mirror, this.#key, this.#parse);
      const result = await this.#schema["~standard"].validate(settings);
      return result.issues === undefined
        ? result
        : complaint(this.#mirror, this.#key, result.issues);
    } catch (error) {
      if (error instanceof InvalidValueError) return error;
      return InvalidValueError.because(this.#key, "validated", error);
    }
  }

  #refuse(error: InvalidValueError): void {
    this.#failure = error;
    this.#rejectReady(error);
    emitError(this, error);
  }

  readonly #rejectReady = (error: Error): void => {
    this.#settleReady?.reject(error);
    this.#settleReady = undefined;
  };

  #accept(current: T): void {
    const previous = this.#valid?.value;
    if (this.#valid !== undefined && isDeepStrictEqual(current, previous)) return;
    this.#valid = { value: current };
    if (this.#settleReady === undefined) emitSafely(this, "change", { current, previous });
    this.#settleReady?.resolve(current);
    this.#settleReady = undefined;
  }
}

/**
 * Settings at a mirrored key, validated by any Standard Schema (zod, valibot, arktype, …).
 *
 * @throws TypeError for a key outside the mirror, what is no schema, and an unknown option
 */
export function config<T>(
  mirror: Mirror,
  schema: ConfigSchema<T>,
  options: ConfigOptions = {},
): Config<T> {
  refuseUnknown(options, ["key", "parse"]);
  checkSchema(schema);
  checkSettingsKey(options.key ?? mirror.key, mirror.key);
  return new Config(mirror, schema, options);
}
