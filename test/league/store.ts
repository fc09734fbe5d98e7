/** What is read and written on etcd directly, and not through the proxy. */

import { forEachConcurrent } from "../../src/transfer/source/for-each-concurrent.js";

export interface Store {
  /** Creates or replaces a key. */
  set(key: string, value: string): Promise<void>;
  /** How often a write of this value below the directory was applied. */
  timesWritten(directory: string, value: string): Promise<number>;
  /** Rises by one whenever a compare-and-swap changes the key. */
  swaps(key: string): Promise<number>;
  /** Number of watches that wait for events on this server. */
  watches(): Promise<number>;
  /** Makes etcd forget the events so far, as its history ends or is compacted. */
  forgetEvents(): Promise<void>;
}

/** etcd keeps the last 1000 events of its v2 store. */
const MORE_THAN_V2_HISTORY = 1_100;
const WRITES_IN_FLIGHT = 16;

/** The v2 API of etcd. */
export class V2Store implements Store {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async set(key: string, value: string): Promise<void> {
    const body = new URLSearchParams({ value });
    await bodyOf(await fetch(`${this.#url}/v2/keys${key}`, { method: "PUT", body }));
  }

  async timesWritten(directory: string, value: string): Promise<number> {
    const response = await fetch(`${this.#url}/v2/keys${directory}`);
    if (response.status === 404) return 0;
    const { node } = JSON.parse(await bodyOf(response)) as { node: V2Node };
    return (node.nodes ?? []).filter((each) => each.value === value).length;
  }

  async swaps(): Promise<number> {
    return (await this.#statistics()).compareAndSwapSuccess;
  }

  async watches(): Promise<number> {
    return (await this.#statistics()).watchers;
  }

  async forgetEvents(): Promise<void> {
    const numbers = Array.from({ length: MORE_THAN_V2_HISTORY }, (_, index) => index);
    await forEachConcurrent(numbers, WRITES_IN_FLIGHT, (index) => this.set("/other", `${index}`));
  }

  async #statistics(): Promise<{ compareAndSwapSuccess: number; watchers: number }> {
    return JSON.parse(await bodyOf(await fetch(`${this.#url}/v2/stats/store`)));
  }
}

interface V2Node {
  readonly value?: string;
  readonly nodes?: readonly V2Node[];
}

/** The v3 API of etcd, as JSON. */
export class V3Store implements Store {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#call("put", { key: btoa(key), value: btoa(value) });
  }

  async timesWritten(directory: string, value: string): Promise<number> {
    const end = `${directory}0`; // "0" follows "/"
    const { kvs = [] } = await this.#call("range", {
      key: btoa(`${directory}/`),
      range_end: btoa(end),
    });
    const written = kvs.filter((each) => each.value === btoa(value));
    return written.reduce((sum, { version }) => sum + Number(version), 0);
  }

  async swaps(key: string): Promise<number> {
    const { kvs = [] } = await this.#call("range", { key: btoa(key) });
    return Number(kvs[0]?.version);
  }

  async watches(): Promise<number> {
    const metrics = await bodyOf(await fetch(`${this.#url}/metrics`));
    return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics)?.[1]);
  }

  async forgetEvents(): Promise<void> {
    const { header } = await this.#call("put", { key: btoa("/other"), value: btoa("1") });
    await this.#call("compaction", { revision: header.revision, physical: true });
  }

  async #call(method: string, request: object): Promise<V3Response> {
    const body = JSON.stringify(request);
    const url = `${this.#url}/v3/kv/${method}`;
    return JSON.parse(await bodyOf(await fetch(url, { method: "POST", body })));
  }
}

interface V3Response {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly value: string; readonly version: string }[];
}

async function bodyOf(response: Response): Promise<string> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} responded ${response.status}: ${text}`);
  return text;
}
