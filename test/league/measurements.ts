/** What is measured for each client. */

import {
  judgeCalls,
  judgeWatch,
  judgeWrites,
  type Notice,
  type WatchFacts,
  type WriteFacts,
} from "./judge.js";
import type { TestBed } from "./test-bed.js";
import { flapping, frozen, gap, gapBeforeFirstEvent, gapBeyondHistory } from "./watch-faults.js";
import {
  addsWithoutResponse,
  callsOnHungConnection,
  swapsWithoutResponse,
} from "./write-faults.js";

export interface Result {
  /** One cell for each column. */
  readonly cells: readonly string[];
  /** What the client reported, each text once. */
  readonly reports: readonly string[];
}

export interface Measurement {
  readonly name: string;
  readonly table: "writes" | "watches and calls";
  readonly columns: readonly string[];
  run(bed: TestBed): Promise<Result>;
}

export const MEASUREMENTS: readonly Measurement[] = [
  ofWrites("creates", addsWithoutResponse),
  ofWrites("swaps", swapsWithoutResponse),
  ofWatch("gap", gap),
  ofWatch("gap before the first event", gapBeforeFirstEvent),
  ofWatch("cut again", flapping),
  ofWatch("gap beyond the history", gapBeyondHistory),
  ofWatch("frozen", frozen),
  {
    name: "hung calls",
    table: "watches and calls",
    columns: ["calls that did not end", "slowest call that ended"],
    async run(bed) {
      const { neverEnded, slowest } = judgeCalls(await callsOnHungConnection(bed));
      const seconds = slowest === 0 ? "–" : `${Math.round(slowest / 1000)} s`;
      return { cells: [`${neverEnded}`, seconds], reports: [] };
    },
  },
];

function ofWrites(name: string, facts: (bed: TestBed) => Promise<WriteFacts[]>): Measurement {
  const columns = [`${name} applied twice`, `${name} failed but stand`, `result of the ${name}`];
  return {
    name,
    table: "writes",
    columns,
    async run(bed) {
      const writes = await facts(bed);
      const { twice, failedButStand } = judgeWrites(writes);
      const reports = distinct(writes.map(({ error }) => error ?? "success"));
      return { cells: [`${twice}`, `${failedButStand}`, reports.map(quoted).join(", ")], reports };
    },
  };
}

function ofWatch(name: string, facts: (bed: TestBed) => Promise<WatchFacts>): Measurement {
  return {
    name,
    table: "watches and calls",
    columns: [name],
    async run(bed) {
      const watch = await facts(bed);
      const { lostSilently, lostAndTold } = judgeWatch(watch);
      const cell = lostAndTold === 0 ? `${lostSilently}` : "0, told";
      return { cells: [cell], reports: distinct(watch.notices.map(textOf)) };
    },
  };
}

function textOf({ kind, text }: Notice): string {
  return `${kind}: ${text}`;
}

const REPORT_CHARACTERS = 110;

/** Each text once, without what differs from run to run. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts.map(withoutNumbers))];
}

function withoutNumbers(text: string): string {
  return text
    .trim()
    .replaceAll(/127\.0\.0\.1:\d+/g, "HOST")
    .replaceAll(/value-\d+/g, "VALUE")
    .replaceAll(/port=\d+/g, "port=PORT")
    .replaceAll(/waitIndex=\d+/g, "waitIndex=INDEX")
    .replaceAll(/0x[\da-f]+/g, "ADDRESS")
    .replaceAll(/\[[\d/]+\]/g, "[INDEX]");
}

function quoted(text: string): string {
  const isLong = text.length > REPORT_CHARACTERS;
  const start = isLong ? `${text.slice(0, REPORT_CHARACTERS)}…` : text;
  return `\`${start.replaceAll("|", "\\|")}\``;
}
