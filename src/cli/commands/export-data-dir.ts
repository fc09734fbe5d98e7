import type { Command } from "commander";
import { type MemberData, readMemberData } from "../../data-dir/read-member-data.js";
import { exportMember, type MemberExport } from "../../transfer/export/export-member.js";
import type { ExportOptions } from "../../transfer/export/export-tree.js";
import { type ClientOptions, clientOptionsOf } from "../options/client-options.js";
import { dashed } from "../process/flag-names.js";

/** Flags of `export` for the files of a member. */
export interface DataDirFlags {
  readonly dataDir?: string;
  readonly walDir?: string;
  readonly uncommitted?: boolean;
  readonly atStop?: boolean;
  readonly untilDamage?: boolean;
}

/** Options of a cluster, which has no part in an export from files. */
const CLUSTER_OPTIONS = [
  ...["endpoints", "endpoint", "peers", "discoverySrv", "api", "keyPrefix", "prefix"],
  ...["username", "passwordFile", "cacert", "caFile", "cert", "certFile", "key", "keyFile"],
  ...["timeout", "totalTimeout"],
] as readonly (keyof ClientOptions)[];

/** @throws Error for a flag that needs --data-dir */
export function requireNoFileFlags(flags: DataDirFlags): void {
  const { walDir, uncommitted, atStop, untilDamage } = flags;
  const given = Object.entries({ walDir, uncommitted, atStop, untilDamage });
  const name = given.find(([, value]) => value !== undefined)?.[0];
  if (name !== undefined) throw new Error(`--${dashed(name)} needs --data-dir`);
}

/** @throws Error for an option of a cluster. Environment variables are ignored */
export function refuseClusterOptions(command: Command): void {
  const { options: given } = clientOptionsOf(command, {});
  const name = CLUSTER_OPTIONS.find((option) => given[option] !== undefined);
  if (name === undefined) return;
  throw new Error(
    `--${dashed(name)} is for a running cluster, and --data-dir reads files; use one of them`,
  );
}

/** Reads the files of a member. Returns the text of the export, and lines to show after it. */
export function exportDataDir(
  key: string,
  { dataDir = "", walDir, uncommitted, atStop, untilDamage }: DataDirFlags,
  observers: Pick<ExportOptions, "lossy" | "onLoss" | "onProgress">,
): Pick<MemberExport, "pieces" | "total"> & { readonly notes: readonly string[] } {
  const options = { walDirectory: walDir, uncommitted, untilDamage };
  const data = readMemberData(dataDir, options);
  const time = atStop ? data.stoppedAt : Date.now();
  const { pieces, total, expired } = exportMember(data, key, { ...observers, time });
  return { pieces, total, notes: [...notesOf(data), ...expiredNote(expired)] };
}

function notesOf({ id, log, snapshot, warnings }: MemberData): readonly string[] {
  const { applied, commit, last } = log;
  const basis = snapshot === undefined ? "" : `the snapshot of entry ${snapshot.index} and `;
  const left = last - applied;
  return [
    `read member ${id}: ${basis}the log up to entry ${applied}`,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(left > 0
      ? [
          `warning: ${left} entries behind entry ${commit} are not known to be committed, and were left out; ` +
            "--uncommitted includes them",
        ]
      : []),
  ];
}

function expiredNote(expired: number): readonly string[] {
  if (expired === 0) return [];
  return [
    `${expired} keys and directories were left out, because their TTL has run out; --at-stop includes them`,
  ];
}
