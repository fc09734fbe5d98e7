import { EtcdClient } from "../client/etcd-client.js";
import { OptionError } from "../errors/option-error.js";
import { NamespaceKeySpace } from "../key-space/decorators/namespace-key-space.js";
import {
  type EmbeddedEtcd,
  type EmbeddedEtcdOptions,
  startEmbeddedEtcd,
} from "../server/embedded-etcd.js";

/** Registers a function that a test framework calls before or after tests. */
export type TestHook = (run: () => Promise<void>) => unknown;

/** The hooks of a test framework: the modules `vitest`, `node:test`, `bun:test` and `@jest/globals` have them. */
export interface TestHooks {
  readonly beforeAll?: TestHook | undefined;
  /** The name of `beforeAll` in `node:test` and Mocha. */
  readonly before?: TestHook | undefined;
  readonly afterAll?: TestHook | undefined;
  /** The name of `afterAll` in `node:test` and Mocha. */
  readonly after?: TestHook | undefined;
  readonly beforeEach?: TestHook | undefined;
  readonly afterEach?: TestHook | undefined;
}

/** Options of {@link etcdFixture}: those of the server, which uses `http` and stores nothing. */
export type EtcdFixtureOptions = Omit<EmbeddedEtcdOptions, "tls" | "snapshotFile">;

/** An embedded etcd for the tests of a file, and a client for the current test. */
export interface EtcdFixture {
  /** The server. It starts before the first test. */
  readonly server: EmbeddedEtcd;
  /** A client in a directory that only the current test uses. To this client, it is `/`. */
  readonly client: EtcdClient;
  /** That directory as other clients of the server see it, e.g. `/test-1`. */
  readonly prefix: string;
  /** Another client in a directory of its own, for tests that run concurrently. It is closed after the last test. */
  newClient(): Promise<EtcdClient>;
}

/**
 * Starts an embedded etcd before the first test of a file and closes it after the last. Each test has a client
 * in an empty directory of its own. Call it at the top of a test file, or in a `describe`.
 *
 * With `clock`, the clients use the clock too, and call the server without sockets: network traffic takes
 * real time.
 *
 * @param hooks the hooks of the test framework, e.g. `import * as hooks from "vitest"`; absent: the globals that
 *   Jest and Mocha have
 * @throws OptionError when a hook is missing
 *
 * @example
 * import * as hooks from "node:test";
 * import { etcdFixture } from "etcdnet/testing";
 *
 * const etcd = etcdFixture(hooks);
 * hooks.test("a greeting is stored", async () => {
 *   await etcd.client.setNode("/greeting", "hello");
 * });
 */
export function etcdFixture(
  hooks: TestHooks = globalThis as TestHooks,
  options: EtcdFixtureOptions = {},
): EtcdFixture {
  const fixture = new Fixture(options);
  hook(hooks, "beforeAll", "before")(() => fixture.start());
  hook(hooks, "beforeEach")(() => fixture.beginTest());
  hook(hooks, "afterEach")(() => fixture.endTest());
  hook(hooks, "afterAll", "after")(() => fixture.close());
  return fixture;
}

function hook(hooks: TestHooks, name: keyof TestHooks, otherName = name): TestHook {
  const found = hooks[name] ?? hooks[otherName];
  if (typeof found === "function") return found;
  const advice = 'pass those of the test framework, e.g. import * as hooks from "node:test"';
  throw new OptionError("hooks", `has no ${name}`, advice);
}

/** A client in a directory of its own. `close` ends all that the client has open. */
interface OwnDirectory {
  readonly prefix: string;
  readonly client: EtcdClient;
  close(): Promise<void>;
}

class Fixture implements EtcdFixture {
  readonly #options: EtcdFixtureOptions;
  #server: EmbeddedEtcd | undefined;
  #current: OwnDirectory | undefined;
  readonly #others: OwnDirectory[] = [];
  #directories = 0;

  constructor(options: EtcdFixtureOptions) {
    this.#options = options;
  }

  get server(): EmbeddedEtcd {
    return started(this.#server, "server", "before the first test");
  }

  get client(): EtcdClient {
    return started(this.#current, "client", "before each test").client;
  }

  get prefix(): string {
    return started(this.#current, "prefix", "before each test").prefix;
  }

  async newClient(): Promise<EtcdClient> {
    const directory = await this.#newDirectory();
    this.#others.push(directory);
    return directory.client;
  }

  async start(): Promise<void> {
    this.#server = await startEmbeddedEtcd(this.#options);
  }

  async beginTest(): Promise<void> {
    this.#current = await this.#newDirectory();
  }

  async endTest(): Promise<void> {
    await this.#current?.close();
    this.#current = undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#others.map((directory) => directory.close()));
    await this.#server?.close();
    this.#server = undefined;
  }

  async #newDirectory(): Promise<OwnDirectory> {
    const { keySpace, url } = this.server;
    const { clock, rootPassword } = this.#options;
    const prefix = `/test-${++this.#directories}`;
    await keySpace.execute({ action: "create", key: prefix, dir: true });
    if (clock !== undefined) {
      const client = new EtcdClient({ keySpace: new NamespaceKeySpace(keySpace, prefix), clock });
      return { prefix, client, close: () => client.close() };
    }
    const credentials =
      rootPassword === undefined ? {} : { username: "root", password: rootPassword };
    const whole = new EtcdClient({ endpoints: url, ...credentials });
    return { prefix, client: whole.namespace(prefix), close: () => whole.close() };
  }
}

function started<T>(value: T | undefined, name: string, when: string): T {
  if (value !== undefined) return value;
  throw new TypeError(`${name} is there only while tests run: the fixture sets it ${when}`);
}
