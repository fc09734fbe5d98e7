import type { LeagueClient } from "./clients.js";
import { MEASUREMENTS, type Measurement, type Result } from "./measurements.js";
import type { ServerKind } from "./test-bed.js";

export interface ClientResults {
  readonly client: LeagueClient;
  readonly results: Map<Measurement, Result>;
}

const SERVERS: Readonly<Record<ServerKind, string>> = {
  v2: "etcd, v2",
  v3: "etcd, v3",
  gateway: "gateway",
  "behind gateway": "gateway; faults between it and etcd",
};

/** A table of the writes, and one of the watches and calls, as Markdown. */
export function reportOf(clients: readonly ClientResults[]): string {
  return (["writes", "watches and calls"] as const)
    .map((name) => tableOf(clients, (each) => each.table === name))
    .filter(Boolean)
    .join("\n\n");
}

function tableOf(
  clients: readonly ClientResults[],
  isChosen: (measurement: Measurement) => boolean,
): string {
  const chosen = MEASUREMENTS.filter(isChosen);
  const rows = clients
    .filter(({ results }) => chosen.some((each) => results.has(each)))
    .map(({ client, results }) => [
      client.name,
      SERVERS[client.server],
      ...chosen.flatMap((each) => results.get(each)?.cells ?? each.columns.map(() => "–")),
    ]);
  if (rows.length === 0) return "";
  const head = ["client", "server", ...chosen.flatMap(({ columns }) => columns)];
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
