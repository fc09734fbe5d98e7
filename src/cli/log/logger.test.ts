import { PassThrough, Writable } from "node:stream";
import { expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { type LogOutput, StreamOutput } from "./log-output.js";
import type { LogFormat } from "./log-text.js";
import { Logger } from "./logger.js";

function logTo(format: LogFormat, level: "debug" | "info" | "warn" = "info") {
  const lines: string[] = [];
  const clock = new SimulatedClock();
  const output = (): LogOutput => ({
    write: (line) => void lines.push(line),
    flush: async () => {},
  });
  return { log: new Logger({ format, level, clock, output }), lines, clock };
}

const TIME = "2030-01-01T00:00:00.000Z";

it("writes a line of text with quoted fields", () => {
  const { log, lines } = logTo("text");
  log.warn("member failed", { endpoint: "http://a:1", cause: "no route", none: undefined, n: 3 });
  expect(lines).toEqual([`${TIME} WARN  member failed endpoint=http://a:1 cause="no route" n=3\n`]);
});

it("writes a JSON object per line, whose head no field replaces", () => {
  const { log, lines } = logTo("json");
  log.info("started", { level: "forged", message: "forged", endpoints: ["http://a:1"] });
  const line = `{"time":"${TIME}","level":"info","message":"started","endpoints":["http://a:1"]}\n`;
  expect(lines).toEqual([line]);
});

it("omits lines below the level, but not the access log", () => {
  const { log, lines } = logTo("text", "warn");
  log.debug("a");
  log.info("b");
  log.access("request", { status: 200 });
  expect(lines).toEqual([`${TIME} INFO  request status=200\n`]);
});

const HOSTILE = [
  "a\nb\r\0",
  "\u001b[31mred\u001b]0;title\u0007",
  "\u009b2J",
  "\u007f",
  "right\u202eto left",
  "line\u2028separator",
  "\ud800 alone",
  '" level=error forged="',
  " ",
  "",
  "x".repeat(100_000),
];

it.each(["text", "json"] as const)(
  "keeps hostile texts in one line of safe characters: %s",
  (format) => {
    const { log, lines } = logTo(format);
    for (const text of HOSTILE) log.access("request", { text });
    expect(lines).toHaveLength(HOSTILE.length);
    for (const line of lines) {
      expect(line).toMatch(/^[\x20-\x7e…]*\n$/);
      expect(line.length).toBeLessThan(3_000);
      if (format === "json") expect(Object.keys(JSON.parse(line))).toContain("text");
      else expect(line.replace(/"(?:\\.|[^"\\])*"/g, "").match(/ level=/)).toBeNull();
    }
  },
);

it("writes repeated lines once per minute, with their number", () => {
  const { log, lines, clock } = logTo("text");
  const flap = () => {
    log.warn("member failed", { endpoint: "a" });
    log.info("member has recovered", { endpoint: "a" });
  };
  for (let second = 0; second < 180; second++) {
    flap();
    clock.advance(1_000);
  }
  expect(lines).toHaveLength(2 + 3 * 2);
  expect(lines[2]).toBe("2030-01-01T00:01:00.000Z WARN  member failed endpoint=a repeated=59\n");
  clock.advance(60_000);
  clock.advance(60_000);
  expect(clock.pending).toBe(0);
});

it("limits the number of different lines per minute", async () => {
  const { log, lines } = logTo("text");
  for (let n = 0; n < 100_000; n++) log.warn("slow request", { path: `/v2/keys/${n}` });
  expect(lines.length).toBeLessThan(1_100);
  await log.close();
  expect(lines.at(-1)).toMatch(/repeated=99000\n$/);
});

it("drops lines while the reader does not read, and says how many when it reads again", async () => {
  const clock = new SimulatedClock();
  const pending: (() => void)[] = [];
  const written: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      written.push(chunk);
      pending.push(() => done());
    },
  });
  const output = (onFlow: (dropped: number) => void) => new StreamOutput(stream, onFlow);
  const log = new Logger({ format: "text", level: "info", clock, output });
  for (let n = 0; n < 100_000; n++) log.access("request", { path: "x".repeat(100) });
  expect(stream.writableLength).toBeLessThan(1.1 * 1024 * 1024);
  while (pending.length > 0) {
    pending.shift()?.();
    await new Promise(setImmediate);
  }
  const notice = written.at(-1);
  const [, dropped] = /WARN {2}log lines were dropped dropped=(\d+)\n$/.exec(notice ?? "") ?? [];
  expect(Number(dropped) + written.length - 1).toBe(100_000);
});

it("continues when the reader is gone", async () => {
  const stream = new PassThrough();
  stream.on("error", () => {});
  const output = (onFlow: (dropped: number) => void) => new StreamOutput(stream, onFlow);
  const log = new Logger({ format: "text", level: "info", clock: new SimulatedClock(), output });
  stream.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  for (let n = 0; n < 10; n++) log.info("line", { n: String(n) });
  await log.close();
});
