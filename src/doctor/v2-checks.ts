import { type Checked, isChecked, knownValue } from "./checked.js";
import type { V2Auth } from "./cluster-facts.js";
import type { ClusterCommands } from "./commands.js";
import { counted } from "./counted.js";
import { type Finding, finding, type Severity } from "./finding.js";
import { isEmpty, type Keys, MAX_NAMED_TOPS, type V2Facts } from "./v2-census.js";
import type { VersionStep } from "./version-steps.js";

interface V2Context {
  readonly step: VersionStep | undefined;
  readonly commands: ClusterCommands;
  readonly keyPrefix: string;
  /** Lines before the commands, which start etcd if it does not run. */
  readonly start: readonly string[];
  /** Writes all v2 keys to a file, if the files of a member can be read. */
  readonly exportFiles?: string;
}

/** The keys of the v2 store, and what a copy to v3 would lose. */
export function checkV2Keys(facts: V2Facts, context: V2Context): Finding[] {
  if (isEmpty(facts)) return [];
  return [...keys(facts, context), ...hiddenKeys(facts, context), ...losses(facts, context)];
}

function keys(facts: V2Facts, context: V2Context): Finding[] {
  const { step, commands } = context;
  const { files, directories, withTtl, bytes, tops } = facts;
  if (tops.count === 0) return [];
  const blocks = step?.refusesV2Snapshot;
  const problem = blocks
    ? `The v2 store has keys: etcd ${step.to} refuses them ("detected disallowed custom content in v2store").`
    : step === undefined || step.servesV2
      ? `The v2 store has keys: etcd ${step?.to ?? "3.5"} serves them only with --enable-v2, and etcd 3.6 refuses them.`
      : `The v2 store has keys, which etcd ${step.to} loses without a message.`;
  return [
    finding(severityOf(step), "v2-keys", problem, {
      found: [
        `${counted(files, "key")} and ${counted(directories, "directory", "directories")}, ${withTtl} with a TTL, ${counted(bytes, "byte")}`,
        `below the root: ${named(tops)}`,
        ...extremes(facts),
      ],
      mend: [
        ...copy(facts, context),
        "# stop everybody who writes v2 keys; then:",
        ...removal(facts, commands),
      ],
    }),
  ];
}

function severityOf(step: VersionStep | undefined): Severity {
  if (step?.refusesV2Snapshot === true) return "blocks";
  return step?.servesV2 === true ? "note" : "warning";
}

/** Copies the keys to v3. A command names few hidden keys; the files of a member have all of them. */
function copy({ hidden }: V2Facts, { commands, keyPrefix, start, exportFiles }: V2Context) {
  const { count, examples }: Keys = knownValue(hidden) ?? { count: 0, examples: [] };
  const omit = "# copies to the v3 keys of the same cluster; omit it if nobody needs the keys:";
  if (exportFiles !== undefined && count > examples.length) {
    const intoV3 = commands.importToV3(keyPrefix);
    return ["# with this member stopped:", exportFiles, ...start, omit, intoV3];
  }
  return [...start, commands.export(examples), omit, commands.migrate(examples, keyPrefix)];
}

function removal({ tops, hiddenTops }: V2Facts, commands: ClusterCommands): string[] {
  const visible =
    tops.count > MAX_NAMED_TOPS
      ? [commands.removeAll()]
      : tops.examples.map((key) => commands.etcdnet("rm", "-r", key));
  return [...visible, ...hiddenTops.map((key) => commands.etcdnet("rm", "-r", key))];
}

function hiddenKeys(facts: V2Facts, context: V2Context): Finding[] {
  const { hidden, tops } = facts;
  if (!isChecked(hidden)) {
    return [
      finding("warning", "v2-hidden-keys", "Not checked: hidden keys (_...), which no API lists.", {
        found: [hidden.unchecked],
        mend: [
          "# on the machine of a member, with that member stopped, or on a copy of its directory:",
          "etcdnet doctor --data-dir DIR",
        ],
      }),
    ];
  }
  const { value } = hidden;
  if (value.count === 0) return [];
  const onlyHidden = tops.count === 0;
  return [
    finding(
      "warning",
      "v2-hidden-keys",
      onlyHidden
        ? "The v2 store has hidden keys: etcd 3.6 does not notice them, and nobody can read them there."
        : "The v2 store has hidden keys, which a copy leaves out unless you name them.",
      {
        found: [named(value)],
        mend: onlyHidden ? [...copy(facts, context), ...removal(facts, context.commands)] : [],
      },
    ),
  ];
}

function losses({ unstorable, large, notText }: V2Facts, { commands }: V2Context): Finding[] {
  const kinds = [
    ["v2-too-deep", unstorable, "Keys have more levels than v3 accepts; a copy leaves them out."],
    ["v2-large-values", large, "Values above 1 MiB may exceed --max-request-bytes of v3."],
    [
      "v2-not-utf8",
      notText,
      "Keys or values are not UTF-8, so the v2 API does not show them exactly, and a copy may differ.",
    ],
  ] as const;
  return kinds.flatMap(([id, found, problem]) =>
    found.count === 0
      ? []
      : [
          finding("warning", id, problem, {
            found: [named(found)],
            mend: ["# names each of them:", `${commands.migrate([], "")} --dry-run`],
          }),
        ],
  );
}

/** v3 keys where a copy would write. */
export function checkV3Keys(
  count: Checked<number>,
  keyPrefix: string,
  { commands }: Pick<V2Context, "commands">,
): Finding[] {
  const where = JSON.stringify(`${keyPrefix}/`);
  if (!isChecked(count)) {
    const problem = `Not checked: whether v3 has keys that begin with ${where}.`;
    return [finding("warning", "v3-keys", problem, { found: [count.unchecked] })];
  }
  if (count.value === 0) return [];
  return [
    finding(
      "warning",
      "v3-keys",
      `v3 has keys that begin with ${where}, where a copy of the v2 keys would be: "migrate" refuses them without --overwrite, which removes them.`,
      {
        found: [counted(count.value, "key")],
        mend: ["# choose another prefix:", commands.migrate([], "/v2")],
      },
    ),
  ];
}

/** Users and roles of v2 auth. */
export function checkV2Auth(auth: V2Auth, context: Omit<V2Context, "keyPrefix">): Finding[] {
  const { isEnabled, users, roles } = auth;
  const { step, commands, start } = context;
  if (!isEnabled && users.length === 0 && roles.length === 0) return [];
  const problem = step?.refusesV2Snapshot
    ? `v2 auth has users or roles: etcd ${step.to} refuses them as content of the v2 store.`
    : "v2 auth is for the v2 API only: etcd 3.6 and later have neither.";
  const severity = step?.refusesV2Snapshot === true ? "blocks" : "note";
  return [
    finding(severity, "v2-auth", problem, {
      found: [
        `auth ${isEnabled ? "is" : "is not"} enabled`,
        `${counted(users.length, "user")}, ${counted(roles.length, "role")}`,
      ],
      mend: [
        ...start,
        ...(isEnabled
          ? [
              "# as user root: set ETCDCTL_USERNAME, or add --username root",
              commands.etcdnet("auth", "disable"),
            ]
          : []),
        ...users.map((user) => commands.etcdnet("user", "remove", user)),
        ...roles.map((role) => commands.etcdnet("role", "remove", role)),
      ],
    }),
  ];
}

function extremes({ deepest, largest }: V2Facts): string[] {
  return [
    ...(deepest === undefined
      ? []
      : [`most levels: ${deepest.size}, ${JSON.stringify(deepest.key)}`]),
    ...(largest === undefined
      ? []
      : [`largest value: ${counted(largest.size, "byte")}, ${JSON.stringify(largest.key)}`]),
  ];
}

const MAX_SHOWN = 3;

/** The first keys of a list, and how many more there are. */
export function named({ count, examples }: Keys): string {
  const shown = examples.slice(0, MAX_SHOWN).map((key) => JSON.stringify(key));
  const more = count - shown.length;
  return `${shown.join(" ")}${more > 0 ? ` and ${more} more` : ""}`;
}
