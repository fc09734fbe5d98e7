/** Clients of gateways that know only v2's HTTP API. */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import type { ServedGateway } from "../../src/server/index.js";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

export interface Answer {
  readonly status: number;
  readonly index: number;
  readonly clusterId: string | null;
  readonly body: {
    readonly errorCode?: number;
    readonly cause?: string;
    readonly action?: string;
    readonly node?: {
      readonly key: string;
      readonly value?: string;
      readonly ttl?: number;
      readonly modifiedIndex: number;
      readonly createdIndex: number;
    };
  };
}

export async function ask(
  { url }: { readonly url: string },
  path: string,
  init?: RequestInit,
): Promise<Answer> {
  const response = await fetch(`${url}/v2/keys${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    index: Number(response.headers.get("x-etcd-index")),
    clusterId: response.headers.get("x-etcd-cluster-id"),
    body: text === "" ? {} : JSON.parse(text),
  };
}

export function put(
  server: { readonly url: string },
  key: string,
  fields: Readonly<Record<string, string>>,
) {
  const body = new URLSearchParams(fields);
  return ask(server, key, { method: "PUT", headers: FORM, body });
}

/** Reads every event below a directory, as a client of v2 does: one poll after the other. */
export class Poller {
  readonly seen: { readonly key: string; readonly index: number }[] = [];
  readonly problems: string[] = [];
  readonly #server: { readonly url: string };
  #next: number;

  constructor(server: { readonly url: string }, from: number) {
    this.#server = server;
    this.#next = from;
  }

  async run(directory: string, last: string): Promise<void> {
    for (;;) {
      const query = `?wait=true&recursive=true&waitIndex=${this.#next}`;
      const { status, body } = await ask(this.#server, directory + query);
      const { node } = body;
      if (status !== 200 || node === undefined) {
        this.problems.push(`${status} ${JSON.stringify(body)}`);
        if (status !== 200) return;
        continue;
      }
      this.seen.push({ key: node.key, index: node.modifiedIndex });
      this.#next = node.modifiedIndex + 1;
      if (node.key === last) return;
    }
  }
}

/** Reads every event below a directory from one response, until a key is seen. */
export async function keysOfStream(
  server: { readonly url: string },
  directory: string,
  last: string,
): Promise<string[]> {
  const keys: string[] = [];
  const query = "?wait=true&recursive=true&stream=true";
  const { body } = await fetch(`${server.url}/v2/keys${directory}${query}`);
  if (body === null) throw new Error("the response has no body");
  const lines = createInterface({ input: Readable.fromWeb(body as WebStream) });
  for await (const line of lines) {
    keys.push(JSON.parse(line).node.key);
    if (keys.at(-1) === last) break;
  }
  return keys;
}

/** Waits until a gateway has a number of watches of clients. */
export async function untilWatched(server: { readonly url: string }, count: number): Promise<void> {
  const watchers = async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^etcdnet_watchers (\d+)$/m.exec(text)?.[1]);
  };
  await expect.poll(watchers).toBe(count);
}

/** Between two writes. Without it, the more a busy machine delays a switch, the more would have to be copied. */
const PAUSE_MS = 20;

/** Writes keys of its own until it is stopped, or until a gateway does not respond. */
export async function write(
  server: { readonly url: string },
  directory: string,
  signal: AbortSignal,
): Promise<{ readonly written: readonly string[]; readonly problems: readonly string[] }> {
  const [written, problems]: [string[], string[]] = [[], []];
  for (let number = 0; !signal.aborted; number++) {
    await setTimeout(PAUSE_MS);
    const key = `${directory}/${String(number).padStart(6, "0")}`;
    try {
      const { status, body } = await put(server, key, { value: "x" });
      if (status === 201) written.push(key);
      else problems.push(`${key}: ${status} ${JSON.stringify(body)}`);
    } catch (error) {
      problems.push(`${key}: ${error}`);
      break;
    }
  }
  return { written, problems };
}

/**
 * Writes at all gateways, and reads the events at one of them, while something happens, and until more was written after it.
 * No client may see an error, and every write has one event.
 */
export async function whileWriting<T>(
  gateways: readonly [ServedGateway, ...ServedGateway[]],
  happens: () => Promise<T>,
): Promise<{ readonly result: T; readonly seen: Poller["seen"]; readonly written: string[] }> {
  const [first, second = first] = gateways;
  const poller = new Poller(second, (await ask(first, "/data")).index + 1);
  const polling = poller.run("/live", "/live/last");
  const stop = new AbortController();
  const writers = gateways.map((gateway, at) => write(gateway, `/live/${at}`, stop.signal));
  await expect.poll(() => poller.seen.length).toBeGreaterThan(20);
  const result = await happens();
  const before = poller.seen.length;
  await expect.poll(() => poller.seen.length).toBeGreaterThan(before + 20);
  stop.abort();
  const results = await Promise.all(writers);
  expect(results.flatMap(({ problems }) => problems)).toEqual([]);
  expect((await put(first, "/live/last", { value: "x" })).status).toBe(201);
  await polling;
  expect(poller.problems).toEqual([]);
  const written = [...results.flatMap((each) => each.written), "/live/last"].sort();
  expect(poller.seen.map(({ key }) => key).sort()).toEqual(written);
  return { result, seen: poller.seen, written };
}
