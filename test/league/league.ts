/** Runs every measurement with every client. `scripts/league.mjs` is the command. */

import { findEtcd } from "../../scripts/etcd-binaries.mjs";
import { forEachConcurrent } from "../../src/transfer/source/for-each-concurrent.js";
import { writeTable } from "../faults/write-table.js";
import { CLIENTS, type LeagueClient } from "./clients.js";
import type { DriverCommand } from "./driver.js";
import { MEASUREMENTS, type Measurement, type Result } from "./measurements.js";
import { type ClientResults, reportOf } from "./report.js";
import { RELEASES, TestBed } from "./test-bed.js";

/** Measurements mostly wait. Each one has its own etcd. */
const CONCURRENCY = 4;

interface Task {
  readonly client: LeagueClient;
  readonly command: DriverCommand;
  readonly measurement: Measurement;
  readonly results: Map<Measurement, Result>;
}

/**
 * Measures what matches as "CLIENT, SERVER: MEASUREMENT". Prints each result to the standard error, and
 * the tables to the standard output. Writes them into the docs on request.
 */
export async function runLeague(only: RegExp, intoDocs: boolean): Promise<void> {
  const clients = CLIENTS.map((client): ClientResults => ({ client, results: new Map() }));
  const missing: string[] = [];
  const tasks = clients.flatMap((each) => tasksOf(each, only, missing));
  await forEachConcurrent(tasks, CONCURRENCY, async ({ client, command, measurement, results }) => {
    const result = await measure(client, command, measurement);
    results.set(measurement, result);
    const shown = [...result.cells, ...result.reports].join("; ");
    console.error(`${nameOf(client)}: ${measurement.name}: ${shown}`);
  });
  const report = [versions(), reportOf(clients), ...missing].join("\n\n");
  console.log(report);
  if (intoDocs) writeTable(report, "league");
}

/** The measurements that match. If the client cannot be installed, adds the reason to `missing`. */
function tasksOf({ client, results }: ClientResults, only: RegExp, missing: string[]): Task[] {
  const chosen = MEASUREMENTS.filter(({ name }) => only.test(`${nameOf(client)}: ${name}`));
  if (chosen.length === 0) return [];
  const command = client.install();
  if (!("missing" in command)) {
    return chosen.map((measurement) => ({ client, command, measurement, results }));
  }
  missing.push(`${nameOf(client)} is not installed: ${command.missing}.`);
  for (const each of chosen) results.set(each, resultOf(each, "not installed"));
  return [];
}

function nameOf({ name, server }: LeagueClient): string {
  return `${name}, ${server}`;
}

async function measure(
  { server }: LeagueClient,
  command: DriverCommand,
  measurement: Measurement,
): Promise<Result> {
  try {
    await using bed = await TestBed.start(server, command);
    return await measurement.run(bed);
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`;
    return resultOf(measurement, "not measured", reason);
  }
}

function resultOf({ columns }: Measurement, text: string, ...reports: string[]): Result {
  return { cells: columns.map(() => text), reports };
}

function versions(): string {
  const etcds = Object.entries(RELEASES).map(([api, release]) => {
    const etcd = findEtcd(release);
    return `etcd ${"version" in etcd ? etcd.version : release} (${api})`;
  });
  const date = new Date().toISOString().slice(0, 10);
  return `Measured on ${date}: ${etcds.join(", ")}, Node ${process.versions.node}.`;
}
