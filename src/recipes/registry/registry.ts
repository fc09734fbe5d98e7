import { randomUUID } from "node:crypto";
import { KeyNotFoundError } from "../../errors/common-errors.js";
import { OptionError } from "../../errors/option-error.js";
import type { CallOptions } from "../../key-space/call-options.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkKey } from "../../model/validate.js";
import { linkSignals } from "../../time/link-signals.js";
import { KeepAlive } from "../lease/keep-alive.js";
import { childOf, withoutSlash } from "../shared/key-path.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import {
  encodeInstance,
  type Instance,
  type InstanceReader,
  type MalformedInstance,
  readInstance,
} from "./instance.js";
import { type InstanceEvent, InstanceSet } from "./instance-set.js";
import { Registration } from "./registration.js";

/** Options of {@link Registry}. */
export interface RegistryOptions<M> {
  /**
   * Validates and converts the metadata of an instance that was read. If it throws, the instance is
   * malformed.
   *
   * @default every value is accepted, as `unknown`
   */
  readonly parse?: ((metadata: unknown) => M) | undefined;
  /**
   * Called for each key below a service that is not a valid instance, once for each value that is
   * read. Such keys are left out of all results.
   *
   * @default not reported
   */
  readonly onMalformed?: ((malformed: MalformedInstance) => void) | undefined;
}

/** Options of `register`. */
export interface RegisterOptions extends CallOptions {
  /**
   * Whole seconds after which an instance that has died is removed.
   *
   * @default 10
   */
  readonly ttl?: number | undefined;
  /**
   * What to do if the id is already registered. `"replace"`: take it over; its former owner gets
   * `lost`. A process that restarts before its TTL ends needs this. `"fail"`: throw `NodeExistError`.
   *
   * @default "replace"
   */
  readonly ifExists?: "replace" | "fail" | undefined;
}

/**
 * A service registry. Instances of services are registered while their processes run. Below `key`,
 * each service is a directory, and each instance is a key with a TTL in it.
 *
 * @example
 * const registry = etcd.registry("/services");
 * const registration = await registry.register("mail", { id: "m1", metadata: { port: 25 } });
 * console.log(await registry.discover("mail"));
 * await registration.close();
 */
export class Registry<M = unknown> {
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #reader: InstanceReader<M>;

  /** @throws TypeError for an invalid key or option */
  constructor(etcd: RecipeClient, key: string, options: RegistryOptions<M> = {}) {
    checkKey(key);
    refuseUnknown(options, { parse: true, onMalformed: true });
    const { parse = (metadata) => metadata as M, onMalformed = () => {} } = options;
    this.key = key;
    this.#etcd = etcd;
    this.#reader = { parse, onMalformed };
  }

  /**
   * Registers an instance until `close()`. It is registered again if its key disappears, but not if
   * another process has taken over its id.
   *
   * @throws NodeExistError with `ifExists: "fail"` when the id is registered
   * @throws NotFileError when the id is a directory; NotDirError when the service is a file
   */
  async register(
    service: string,
    { id, metadata }: Instance<M>,
    options: RegisterOptions = {},
  ): Promise<Registration> {
    refuseUnknown(options, { ttl: true, ifExists: true, signal: true });
    const { ttl = 10, ifExists = "replace", signal } = options;
    const key = `${this.#serviceKey(service)}/${checkName("id", id)}`;
    const owner = randomUUID();
    const value = encodeInstance(owner, metadata);
    const keepAlive = await KeepAlive.create(this.#etcd, key, value, {
      ...{ ttl, ifExists, recreate: true, signal },
    });
    return new Registration(keepAlive, owner);
  }

  /** Reads the registered instances of a service (linearizable). */
  async discover(service: string, options: CallOptions = {}): Promise<readonly Instance<M>[]> {
    refuseUnknown(options, { signal: true });
    const request = { action: "get", key: this.#serviceKey(service), sorted: true } as const;
    try {
      const { node } = await this.#etcd.execute({ ...request, quorum: true }, options);
      return (node.nodes ?? []).flatMap((child) => readInstance(child, this.#reader) ?? []);
    } catch (error) {
      if (error instanceof KeyNotFoundError) return [];
      throw error;
    }
  }

  /**
   * Yields the changes of the instances of a service. It starts with `up` for each registered one. An
   * instance that was registered only while the reader was disconnected or busy may be left out; the
   * final state is always reported. Ends when `signal` aborts or the client is closed. `return()`
   * waits for the next event, as in every generator.
   */
  async *watch(
    service: string,
    options: CallOptions = {},
  ): AsyncGenerator<InstanceEvent<M>, void, undefined> {
    refuseUnknown(options, { signal: true });
    const key = this.#serviceKey(service);
    const linked = linkSignals(options.signal, this.#etcd.closed);
    const instances = new InstanceSet(key, this.#reader);
    const watcher = this.#etcd.watch(key, {
      ...{ recursive: true, initial: true, signal: linked.signal },
    });
    try {
      for await (const item of watcher) yield* instances.apply(item);
    } catch (error) {
      if (!linked.signal.aborted) throw error;
    } finally {
      watcher.close();
      linked.unlink();
    }
  }

  #serviceKey(service: string): string {
    return childOf(withoutSlash(this.key), checkName("service", service));
  }
}

/** A name is one segment of a key, and must not be hidden. */
function checkName(field: string, name: string): string {
  if (typeof name === "string" && /^[^/_][^/]*$/.test(name)) return name;
  throw new OptionError(
    field,
    `must be a name without "/" that does not begin with "_", not ${JSON.stringify(name)}`,
  );
}
