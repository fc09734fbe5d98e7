/** The log of a server process, and readers of the log that go away or stop. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { get, RawClient } from "../embedded/raw-client.js";
import { Cli, MAIN } from "../support/cli-process.js";

beforeAll(buildIfStale);

/** Requests with a log line of more than a kilobyte each. */
const LINES = Number(process.env.LOG_LINES ?? 8_000);
const CONNECTIONS = 4;

const serve = (...args: readonly string[]): Cli =>
  new Cli("serve", "--port", "0", "--access-log", ...args);

/** Sends requests whose log lines are long. Returns the number of responses with status 200. */
async function flood(url: string): Promise<number> {
  const request = `GET /livez HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${"u".repeat(1_500)}\r\n\r\n`;
  const last = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
  const served = Array.from({ length: CONNECTIONS }, async () => {
    const client = new RawClient(url);
    client.send(request.repeat(LINES / CONNECTIONS - 1) + last);
    return (await client.ended()).match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
  });
  return (await Promise.all(served)).reduce((sum, count) => sum + count, 0);
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

it("writes JSON lines without values and passwords, whatever clients send", async () => {
  await using cli = serve("--log-format", "json", "--slow-request", "0s");
  const client = new RawClient(await cli.url());
  client.send(
    "PUT /v2/keys/a%1b?value=secret&secret&recursive=true HTTP/1.1\r\nHost: localhost\r\n" +
      `Authorization: Basic ${Buffer.from("ro\not:secret").toString("base64")}\r\n` +
      "User-Agent: \x9b2J\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  );
  await client.ended();
  cli.kill("SIGTERM");
  expect(await cli.exit).toBe(0);
  expect(cli.stdout).toMatch(/^listening on \S+\n$/);
  expect(cli.stderr).toMatch(/^[\n\x20-\x7e]*$/);
  expect(cli.stderr).not.toContain("secret");
  const lines = cli.stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const messages = lines.map(({ message }) => message);
  expect(messages).toContain("serve listens");
  expect(messages.at(-1)).toBe("stopped");
  expect(lines.find(({ message }) => message === "request")).toMatchObject({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    ...{ level: "info", method: "PUT", parameters: ["value", "recursive"], user: "ro\not" },
    ...{ address: "127.0.0.1", complete: true, bytes: expect.any(Number) },
  });
});

it("logs slow requests, but not long polls", async () => {
  await using cli = serve("--slow-request", "1ms", "--log-level", "warn");
  const url = await cli.url();
  const poll = new RawClient(url).send(get("/v2/keys/polled?wait=true"));
  await poll.got(/\r\n\r\n/);
  const body = new URLSearchParams({ value: "v" });
  await fetch(`${url}/v2/keys/polled`, { method: "PUT", body });
  await poll.got(/"action":"set"/);
  poll.socket.destroy();
  // Reading a large tree takes longer than a millisecond.
  const put = (n: number) =>
    fetch(`${url}/v2/keys/large/${n}`, {
      method: "PUT",
      body: new URLSearchParams({ value: "x" }),
    });
  await Promise.all(Array.from({ length: 300 }, (_, n) => put(n)));
  await fetch(`${url}/v2/keys/?recursive=true&sorted=true`);
  await expect.poll(() => cli.stderr).toMatch(/WARN {2}slow request method=\w+ path=\/v2\/keys/);
  expect(await metric(url, "etcdnet_slow_requests_total")).toBeGreaterThan(0);
});

it("serves on when the readers of its outputs are gone", async () => {
  await using cli = serve();
  const url = await cli.url();
  cli.process.stdout?.destroy();
  cli.process.stderr?.destroy();
  expect(await flood(url)).toBe(LINES);
  expect(await metric(url, "etcdnet_log_lines_dropped_total")).toBeGreaterThan(0);
  cli.kill("SIGTERM");
  expect(await cli.exit).toBe(0);
});

it("serves on when the reader of its log stops, in bounded memory, and reports dropped lines", async () => {
  await using cli = serve();
  const url = await cli.url();
  cli.process.stderr?.pause();
  expect(await flood(url)).toBe(LINES);
  expect(await metric(url, "etcdnet_log_lines_dropped_total")).toBeGreaterThan(0);
  expect(await metric(url, "process_resident_memory_bytes")).toBeLessThan(300 * 1024 * 1024);
  cli.process.stderr?.resume();
  await expect
    .poll(() => cli.stderr, { timeout: 60_000 })
    .toMatch(/WARN {2}log lines were dropped dropped=[1-9]/);
  cli.process.stderr?.pause();
  await flood(url);
  const ended = once(cli.process, "exit");
  cli.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  cli.process.stderr?.resume();
});

it.skipIf(!existsSync("/dev/full"))("serves on when the disk of its log is full", async () => {
  const full = openSync("/dev/full", "w");
  const args = [MAIN, "serve", "--port", "0", "--access-log"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", full] });
  try {
    if (child.stdout === null) throw new Error("no pipe");
    const [line] = await once(child.stdout, "data");
    const url = String(line).replace("listening on ", "").trim();
    for (let n = 0; n < 3; n++) expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await metric(url, "etcdnet_log_lines_dropped_total")).toBeGreaterThan(2);
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
  }
});
