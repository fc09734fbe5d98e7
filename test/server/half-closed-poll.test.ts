import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGateway, startEmbeddedEtcd } from "../../src/server/index.js";
import { get, put, RawClient } from "../embedded/raw-client.js";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

/** Milliseconds from the head of an answer to the half-close. */
const HEAD_START = 20;
const HEAD = /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n/;
const EMPTY = /\r\n\r\n0\r\n\r\n$/;

interface Served {
  readonly url: string;
  readonly ca?: string;
  stop(): Promise<void>;
}

/** A long poll whose client half-closes its connection shortly after the head of the answer. */
interface Scan {
  readonly since: number;
  /** X-Etcd-Index. */
  readonly index: number;
  /** Index of the event that came; absent if the answer ended without one. */
  readonly event?: number;
  readonly isEmpty: boolean;
}

describe("an embedded server", () => {
  describePolls(async () => {
    const etcd = await startEmbeddedEtcd();
    return { url: etcd.url, stop: () => etcd.close() };
  });
});

describe("an embedded server with TLS", () => {
  describePolls(async () => {
    const etcd = await startEmbeddedEtcd({ tls: serverCertificate() });
    return { url: etcd.url, ca: certificateAuthority().cert, stop: () => etcd.close() };
  });
});

describeWithEtcd("3.7", "a gateway", () => {
  describePolls(async () => {
    const etcd = await startEtcd({ release: "3.7" });
    const gateway = await createGateway({ etcd: { urls: etcd.urls } });
    const stop = async (): Promise<void> => {
      await gateway.close();
      await etcd.stop();
    };
    return { url: gateway.url, stop };
  });
});

/** What a client may conclude from a poll that it half-closes. */
function describePolls(start: () => Promise<Served>): void {
  let server: Served;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  /** @returns the index of the change */
  async function set(key: string): Promise<number> {
    using client = new RawClient(server.url, server.ca);
    const answer = await client.send(put(key, "value=x")).ended();
    return Number(/"modifiedIndex":(\d+)/.exec(answer)?.[1]);
  }

  async function scan(key: string, since: number): Promise<Scan> {
    using client = new RawClient(server.url, server.ca);
    const target = `/v2/keys${key}?wait=true&recursive=true&waitIndex=${since}`;
    const head = await client.send(get(target)).got(HEAD);
    await sleep(HEAD_START);
    const answer = await client.halfClose().ended();
    const event = /"modifiedIndex":(\d+)/.exec(answer)?.[1];
    return {
      since,
      index: Number(/X-Etcd-Index: (\d+)/i.exec(head)?.[1]),
      ...(event !== undefined && { event: Number(event) }),
      isEmpty: EMPTY.test(answer),
    };
  }

  it("gets the event, or a clean end with the index up to which there was none", async () => {
    const first = await set("/scanned/a");
    const other = await set("/other");
    // A poll that claims nothing up to the index may still end empty: a gateway's own watch just begins.
    const found = () => scan("/scanned", first);
    await expect.poll(found).toMatchObject({ event: first });
    await expect.poll(async () => (await scan("/scanned", first + 1)).index).toBe(other);
    const quiet = await scan("/scanned", first + 1);
    expect(quiet).toEqual({ since: first + 1, index: other, isEmpty: true });
  });

  it("never ends empty if there was an event up to the index in its headers", async () => {
    const changes: number[] = [await set("/busy/a")];
    const scans: Scan[] = [];
    const isOver = (): boolean => scans.length >= 80;
    const write = async (): Promise<void> => {
      while (!isOver()) {
        if (Math.random() < 0.1) changes.push(await set("/busy/a"));
        else await set("/idle");
        await sleep(Math.random() * 20);
      }
    };
    const follow = async (): Promise<void> => {
      for (let since = changes[0] ?? 0; !isOver(); ) {
        const seen = await scan("/busy", since);
        scans.push(seen);
        since = Math.max(since, seen.event ?? seen.index) + 1;
      }
    };
    await Promise.all([write(), write(), follow(), follow(), follow()]);
    const wrong = scans.filter(({ since, index, event, isEmpty }) => {
      const owed = changes.some((change) => change >= since && change <= index);
      return event === undefined && (owed || !isEmpty);
    });
    expect(wrong).toEqual([]);
    expect(scans.some(({ event }) => event !== undefined)).toBe(true);
    expect(scans.some(({ isEmpty }) => isEmpty)).toBe(true);
  });
}
