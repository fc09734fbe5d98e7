import { isChecked } from "./checked.js";
import { ClusterCommands, directoriesOf, etcdLine, type MemberStart } from "./commands.js";
import { counted } from "./counted.js";
import type { DirectoryFacts, StoredMember } from "./directory-facts.js";
import { type Finding, finding } from "./finding.js";
import { commandLine } from "./shell.js";
import { checkV2Auth, checkV2Keys, named } from "./v2-checks.js";
import type { VersionStep } from "./version-steps.js";

/** The same check of the directory again. */
export function doctorLine(
  directories: Pick<MemberStart, "dataDir" | "walDir">,
  to: string | undefined,
): string {
  const release = to === undefined ? [] : ["--to", to];
  return commandLine("etcdnet", "doctor", ...directoriesOf(directories), ...release);
}

/** Everything that the files of a member show about one step. */
export function checkDirectory(facts: DirectoryFacts, step: VersionStep): Finding[] {
  return [
    ...content(facts, step),
    ...snapshot(facts, step),
    ...log(facts, step),
    ...v3Store(facts, step),
    ...facts.warnings.map((text) =>
      finding("warning", "files", "The files of the member are not as expected.", {
        found: [text],
      }),
    ),
  ];
}

/** v2 users, roles and keys, whose removal needs a running member with the v2 API. */
function content({ start, v2, v2Auth }: DirectoryFacts, step: VersionStep): Finding[] {
  const commands = new ClusterCommands(start.clientURLs);
  const canServe = step.from === "3.4" || step.from === "3.5";
  const lines = canServe
    ? [
        `# start etcd ${step.from} with the v2 API: every member of the cluster, with its other flags`,
        etcdLine(start, "--enable-v2=true"),
      ]
    : ["# start a copy of a backup with etcd 3.5 and the v2 API; there:"];
  const exportFiles = commandLine(
    ...["etcdnet", "export", ...directoriesOf(start), "--file", "v2-keys.jsonl"],
  );
  const context = { step, commands, keyPrefix: "", start: lines, exportFiles };
  return [...checkV2Auth(v2Auth, context), ...checkV2Keys(v2, context)];
}

function snapshot(facts: DirectoryFacts, step: VersionStep): Finding[] {
  const { snapshot } = facts;
  if (!step.refusesV2Snapshot || snapshot === undefined) return [];
  const { tops, auth, index } = snapshot;
  if (tops.count === 0 && auth === 0) return [];
  return [
    finding(
      "blocks",
      "v2-in-snapshot",
      `The newest snapshot has v2 data: etcd ${step.to} exits with "detected disallowed custom content in v2store".`,
      {
        found: [
          `snapshot at index ${index}`,
          ...(tops.count === 0 ? [] : [`keys below the root: ${named(tops)}`]),
          ...(auth === 0 ? [] : [counted(auth, "user or role", "users and roles")]),
        ],
        mend: newSnapshot(facts, step),
      },
    ),
  ];
}

function log(facts: DirectoryFacts, step: VersionStep): Finding[] {
  const { keys, other, membership } = facts.requests;
  const refused = {
    none: 0,
    "v2-keys": keys + other,
    "all-v2": keys + other + membership,
  }[step.refusesInLog];
  if (refused === 0) return [];
  const error =
    step.refusesInLog === "all-v2"
      ? "unmarshal should never fail"
      : "detected disallowed v2 WAL for stage --v2-deprecation=write-only";
  const since = facts.snapshot === undefined ? "" : " after the newest snapshot";
  return [
    finding(
      "blocks",
      "v2-in-log",
      `The log has requests of the v2 API${since}: etcd ${step.to} panics with "${error}", also if the keys were deleted.`,
      {
        found: [
          `${counted(refused, "request")}: ${keys} of keys, ${other} others such as health checks${
            step.refusesInLog === "all-v2" ? `, ${membership} of etcd about its members` : ""
          }`,
        ],
        mend: newSnapshot(facts, step),
      },
    ),
  ];
}

/** etcd makes a snapshot after so many entries of the log; a start makes more than one. */
const SNAPSHOT_NOW = "--snapshot-count=1";

/** Makes etcd write a snapshot at its start, behind which the log has no more requests of the v2 API. */
function newSnapshot({ start }: DirectoryFacts, step: VersionStep): string[] {
  const off = step.from === "3.4" || step.from === "3.5" ? ["--enable-v2=false"] : [];
  return [
    `# start etcd ${step.from} so that it writes a snapshot: every member of the cluster, with its other flags;`,
    `# stop it when it has logged "saved snapshot" and "ready to serve client requests"`,
    etcdLine(start, ...off, SNAPSHOT_NOW),
  ];
}

function v3Store(facts: DirectoryFacts, step: VersionStep): Finding[] {
  const { v3, snapshot } = facts;
  if (!isChecked(v3)) {
    return [
      finding("blocks", "v3-store-unreadable", "Not checked: the file of the v3 store.", {
        found: [v3.unchecked],
      }),
    ];
  }
  const { consistentIndex, alarms } = v3.value;
  return [
    ...(step.readsMembersFromV3 ? membership(facts, v3.value.members, step) : []),
    ...(snapshot !== undefined && consistentIndex > 0 && consistentIndex < snapshot.index
      ? [
          finding(
            "blocks",
            "v3-store-behind",
            `The v3 store is older than the newest snapshot: etcd exits with "does not match with snapshot".`,
            {
              found: [`v3 store at index ${consistentIndex}, snapshot at index ${snapshot.index}`],
            },
          ),
        ]
      : []),
    ...alarms.map((alarm) =>
      finding(
        "blocks",
        `alarm-${alarm.toLowerCase()}`,
        `The alarm ${alarm} is active: mend its cause before the upgrade.`,
        { mend: [new ClusterCommands(facts.start.clientURLs).etcdctl("alarm", "list")] },
      ),
    ),
  ];
}

/** etcd 3.5 has the members in both stores and reads those of v2; etcd 3.6 reads those of v3. */
function membership(
  { start, members }: DirectoryFacts,
  inV3: readonly StoredMember[],
  step: VersionStep,
): Finding[] {
  const textOf = (list: readonly StoredMember[]): string =>
    list
      .map(({ id, isLearner }) => (isLearner ? `${id} (learner)` : id))
      .sort()
      .join(" ");
  const [v2, v3] = [textOf(members), textOf(inV3)];
  if (v2 === v3) return [];
  return [
    finding(
      "blocks",
      "members-differ",
      `The v2 store and the v3 store have different members: etcd ${step.to} would use those of v3.`,
      {
        found: [`v2: ${v2}`, `v3: ${v3}`],
        mend: [
          `# start etcd ${step.from}.${step.patch.atLeast} or later once; it copies the members to the v3 store`,
          etcdLine(start, "--enable-v2=false"),
        ],
      },
    ),
  ];
}
