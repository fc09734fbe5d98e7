import { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { AbortError } from "../../errors/abort-error.js";
import { InvalidValueError } from "../../errors/invalid-value-error.js";
import { refuseUnknown } from "../../model/option-names.js";
import { microtask } from "../../time/event-loop.js";
import type { Mirror } from "../mirror/mirror.js";
import type { MirrorChange } from "../mirror/mirror-change.js";
import { emitError, emitSafely } from "../shared/emit-safely.js";
import { isWithin } from "../shared/key-path.js";
import { type ConfigSchema, checkSchema } from "./config-schema.js";
import { checkSettingsKey, settingsAt, validationError } from "./config-settings.js";

/** Options of {@link config}. */
export interface ConfigOptions {
  /**
   * The key that holds the settings.
   *
   * @default the mirrored key
   */
  readonly key?: string | undefined;
  /**
   * Converts the text of a file to a value, for example `JSON.parse`.
   *
   * @default the text itself
   */
  readonly parse?: ((text: string) => unknown) | undefined;
}

/** A change of the valid settings. */
export interface ConfigChange<T> {
  readonly current: T;
  /** The settings before; `undefined` when there were no valid ones. */
  readonly previous: T | undefined;
}

/** Events of a {@link Config}. */
export interface ConfigEvents<T> {
  /** `current` has changed. The first settings, which `ready` returns, cause no event. */
  change: [ConfigChange<T>];
  /** The settings are invalid, or a listener threw. */
  error: [Error];
}

/**
 * Typed settings that follow a subtree of a mirror.
 *
 * A directory becomes an object with its children. A file becomes its text, or the result of `parse`.
 * A key that does not exist is `undefined`, and the schema decides whether that is valid. After each
 * change, all settings are validated at one index of the mirror. Valid settings become `current`. For
 * invalid ones, `error` is emitted, and `current` keeps the last valid settings.
 *
 * With a schema that validates asynchronously, settings take effect in the order in which they were
 * written: the result for older settings is dropped if the result for newer ones is already known.
 *
 * Events: `change` when `current` changes, except for the first settings, which `ready` returns;
 * `error`. They are emitted like those of a {@link Mirror}. The settings end with their mirror.
 */
export class Config<T> extends EventEmitter<ConfigEvents<T>> implements Disposable {
  /**
   * Resolves with the first settings. Rejects with `InvalidValueError` when they are not valid, and
   * with the mirror's error when they cannot be read. Later settings can still take effect. Rejects
   * with `AbortError` when it is closed before the first settings.
   */
  readonly ready: Promise<T>;
  readonly #mirror: Mirror;
  readonly #schema: ConfigSchema<T>;
  readonly #key: string;
  readonly #parse: (text: string) => unknown;
  #settleReady: { resolve(value: T): void; reject(error: Error): void } | undefined;
  #valid: { readonly value: T } | undefined;
  #failure: Error | undefined;
  #isScheduled = false;
  /** Numbers of validations: the last one that started, and the newest one with a result. */
  #lastStarted = 0;
  #lastSettled = 0;
  #isClosed = false;

  /** @internal */
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
    // The failure is also emitted as `error`, so an unused `ready` must not end the process.
    this.ready.catch(() => {});
    mirror.on("change", this.#onChange).on("resync", this.#scheduleValidation);
    // `ready` stays rejected when the first load of the mirror failed and a later one succeeded.
    if (mirror.index > 0) this.#scheduleValidation();
    else mirror.ready.then(this.#scheduleValidation, this.#rejectReady);
  }

  /**
   * The last valid settings. It is the same object until they change. Do not modify it.
   *
   * @throws TypeError when there are no valid settings yet; its `cause` is the last error
   */
  get current(): T {
    if (this.#valid !== undefined) return this.#valid.value;
    throw new TypeError(`no valid settings at ${this.#key} yet; await "ready"`, {
      cause: this.#failure,
    });
  }

  /** Stops following the mirror; `current` stays as it is. */
  close(): void {
    this.#isClosed = true;
    this.#mirror.off("change", this.#onChange).off("resync", this.#scheduleValidation);
    const reason = new Error("the settings were closed");
    this.#settleReady?.reject(
      new AbortError(`loading the settings at ${this.#key}`, reason, "none"),
    );
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #onChange = ({ key }: MirrorChange): void => {
    if (isWithin(key, this.#key)) this.#scheduleValidation();
  };

  /** Validates once for all changes of one event. */
  readonly #scheduleValidation = (): void => {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    microtask(() => {
      this.#isScheduled = false;
      void this.#validate();
    });
  };

  async #validate(): Promise<void> {
    const number = ++this.#lastStarted;
    const result = await this.#result();
    if (this.#isClosed || number < this.#lastSettled) return;
    this.#lastSettled = number;
    if (result instanceof InvalidValueError) this.#handleInvalid(result);
    else this.#handleValid(result.value);
  }

  async #result(): Promise<{ readonly value: T } | InvalidValueError> {
    try {
      const settings = settingsAt(this.#mirror, this.#key, this.#parse);
      const result = await this.#schema["~standard"].validate(settings);
      return result.issues === undefined
        ? result
        : validationError(this.#mirror, this.#key, result.issues);
    } catch (error) {
      if (error instanceof InvalidValueError) return error;
      return InvalidValueError.because(this.#key, "validated", error);
    }
  }

  #handleInvalid(error: InvalidValueError): void {
    this.#failure = error;
    this.#rejectReady(error);
    emitError(this, error);
  }

  readonly #rejectReady = (error: Error): void => {
    this.#settleReady?.reject(error);
    this.#settleReady = undefined;
  };

  #handleValid(current: T): void {
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
 * @throws TypeError for a key outside the mirror, an invalid schema, and an unknown option
 *
 * @example
 * const settings = config(etcd.mirror("/shop"), schema);
 * await settings.ready;
 * console.log(settings.current);
 */
export function config<T>(
  mirror: Mirror,
  schema: ConfigSchema<T>,
  options: ConfigOptions = {},
): Config<T> {
  refuseUnknown(options, { key: true, parse: true });
  checkSchema(schema);
  checkSettingsKey(options.key ?? mirror.key, mirror.key);
  return new Config(mirror, schema, options);
}
