import { type Checked, isChecked, knownValue } from "./checked.js";
import type { ClusterFacts, EndpointFacts, MemberState } from "./cluster-facts.js";
import type { ClusterCommands } from "./commands.js";
import { type Finding, finding } from "./finding.js";
import { isPatchTooOld, minorOf, type VersionStep } from "./version-steps.js";

/** A member that answered. */
export interface KnownMember extends MemberState {
  readonly url: string;
}

/** The members that answered, at the endpoints that were given. */
export function knownMembers({ endpoints }: ClusterFacts): readonly KnownMember[] {
  return endpoints.flatMap(({ url, state }) => (isChecked(state) ? [{ url, ...state.value }] : []));
}

/** Whether every member was asked, and all of them agree. */
export function checkMembers(facts: ClusterFacts, commands: ClusterCommands): Finding[] {
  const known = knownMembers(facts);
  return [
    ...facts.endpoints.flatMap((endpoint) => unreachable(endpoint, commands)),
    ...unlisted(facts, known, commands),
    ...differentClusters(known),
    ...mixedReleases(known),
    ...withoutLeader(known),
    ...learners(facts, commands),
  ];
}

function unreachable({ url, state }: EndpointFacts, commands: ClusterCommands): Finding[] {
  if (isChecked(state)) return [];
  return [
    finding("blocks", "endpoint-failed", `Not checked: ${url} gave no usable response.`, {
      found: [state.unchecked],
      mend: [
        `# start etcd at ${url}, remove the URL from --endpoints, or add --username or --cacert; then:`,
        commands.doctor(),
      ],
    }),
  ];
}

function unlisted(
  { members }: ClusterFacts,
  known: readonly KnownMember[],
  commands: ClusterCommands,
): Finding[] {
  if (known.length === 0) return [];
  if (!isChecked(members)) {
    const problem = "Not checked: the list of members could not be read.";
    return [finding("blocks", "members-unknown", problem, { found: [members.unchecked] })];
  }
  const ids = new Set(known.map(({ id }) => id));
  const missing = members.value.filter(({ id }) => !ids.has(id));
  if (missing.length === 0) return [];
  const urls = missing.flatMap(({ clientURLs }) => clientURLs.slice(0, 1));
  return [
    finding(
      "blocks",
      "member-not-asked",
      "Not checked: members of the cluster are not among the endpoints, or gave no usable response.",
      {
        found: missing.map(
          ({ id, name, clientURLs }) => `${id} ${name || "(not started)"} ${clientURLs.join(" ")}`,
        ),
        mend: urls.length === 0 ? [] : [commands.doctor({ endpoints: urls })],
      },
    ),
  ];
}

function differentClusters(known: readonly KnownMember[]): Finding[] {
  if (new Set(known.map(({ clusterId }) => clusterId)).size <= 1) return [];
  return [
    finding("blocks", "different-clusters", "The endpoints belong to different clusters.", {
      found: known.map(({ url, clusterId }) => `${url}: cluster ${clusterId}`),
      mend: ["# name the endpoints of one cluster only"],
    }),
  ];
}

function mixedReleases(known: readonly KnownMember[]): Finding[] {
  const minors = new Set(known.map(({ version }) => minorOf(version)));
  const behind = known.filter(({ version, clusterVersion }) => {
    const agreed = knownValue(clusterVersion);
    return agreed !== undefined && minorOf(agreed) !== minorOf(version);
  });
  if (minors.size <= 1 && behind.length === 0) return [];
  return [
    finding(
      "blocks",
      "mixed-releases",
      "An upgrade is not complete: the members run different releases, or have not agreed on their release.",
      {
        found: known.map(
          ({ url, version, clusterVersion }) =>
            `${url}: etcd ${version}, cluster ${knownValue(clusterVersion) ?? "unknown"}`,
        ),
        mend: ["# upgrade the remaining members, and wait until all are healthy"],
      },
    ),
  ];
}

function withoutLeader(known: readonly KnownMember[]): Finding[] {
  const urls = known.filter(({ hasLeader }) => !hasLeader).map(({ url }) => url);
  if (urls.length === 0) return [];
  return [
    finding("blocks", "no-leader", "A member knows no leader: the cluster is not healthy.", {
      found: urls,
      mend: ["# bring the other members back, until a majority runs"],
    }),
  ];
}

function learners({ members }: ClusterFacts, commands: ClusterCommands): Finding[] {
  const found = (knownValue(members) ?? []).filter(({ isLearner }) => isLearner);
  if (found.length === 0) return [];
  return [
    finding(
      "warning",
      "learner",
      "A member is a learner. Promote or remove it first, so that every member has the same role before and after.",
      {
        found: found.map(({ id, name }) => `${id} ${name}`),
        mend: found.map(({ id }) => commands.etcdctl("member", "promote", id)),
      },
    ),
  ];
}

/** Alarms and the size of the v3 store. */
export function checkStorage(facts: ClusterFacts, commands: ClusterCommands): Finding[] {
  const known = knownMembers(facts);
  return [...alarms(known, commands), ...size(known, commands), ...history(known)];
}

function alarms(known: readonly KnownMember[], commands: ClusterCommands): Finding[] {
  const active = new Set(known.flatMap(({ alarms }) => alarms));
  const compact = [
    commands.etcdctl("compact", String(Math.min(...known.map(({ revision }) => revision)))),
    commands.etcdctl("defrag"),
    commands.etcdctl("alarm", "disarm"),
  ];
  return [...active].map((alarm) => {
    if (alarm === "NOSPACE") {
      const problem = "The v3 store is full (alarm NOSPACE): etcd refuses writes.";
      return finding("blocks", "alarm-nospace", problem, {
        found: sizes(known),
        mend: ["# history before this revision is lost; ETCDCTL_API=3", ...compact],
      });
    }
    const problem = `The alarm ${alarm} is active: do not upgrade before its cause is known.`;
    return finding("blocks", `alarm-${alarm.toLowerCase()}`, problem, {
      mend: [commands.etcdctl("alarm", "list")],
    });
  });
}

/** The share of the quota from which a warning is given. */
const MAX_SHARE_OF_QUOTA = 0.8;

function size(known: readonly KnownMember[], commands: ClusterCommands): Finding[] {
  const unknown = known.filter(({ quota }) => !isChecked(quota));
  const full = known.filter(
    ({ dbSize, quota }) =>
      dbSize > MAX_SHARE_OF_QUOTA * (knownValue(quota) || Number.POSITIVE_INFINITY),
  );
  return [
    ...(full.length === 0
      ? []
      : [
          finding(
            "warning",
            "db-near-quota",
            "The v3 store is nearly full: v2 keys that are copied to v3 may raise the alarm NOSPACE.",
            {
              found: sizes(full),
              mend: [
                commands.etcdctl("defrag"),
                "# or restart the members with a larger --quota-backend-bytes",
              ],
            },
          ),
        ]),
    ...notChecked(
      "quota-not-checked",
      "how much room the v3 store has",
      unknown.map(({ url, quota }) => [url, quota] as const),
    ),
  ];
}

function sizes(known: readonly KnownMember[]): string[] {
  return known.map(({ url, dbSize, dbSizeInUse, quota }) => {
    const limit = knownValue(quota);
    return `${url}: ${dbSize} bytes, ${dbSizeInUse} in use, quota ${limit ?? "unknown"}`;
  });
}

/** Whether auto-compaction is on is a flag, which no API shows. The history that is kept hints at it. */
function history(known: readonly KnownMember[]): Finding[] {
  if (known.length === 0) return [];
  return [
    finding("note", "auto-compaction", "Not checked: --auto-compaction-mode and its retention.", {
      found: known.map(({ url, revision, compactRevision }) => {
        const compacted = knownValue(compactRevision);
        const kept =
          compacted === undefined ? "an unknown number" : revision - Math.max(compacted, 0);
        return `${url}: revision ${revision}, history of ${kept} revisions`;
      }),
    }),
  ];
}

/** The release of the members for one step. */
export function checkPatch(known: readonly KnownMember[], step: VersionStep): Finding[] {
  const old = known.filter(({ version }) => isPatchTooOld(version, step));
  if (old.length === 0) return [];
  const wanted = `${step.from}.${step.patch.atLeast}`;
  return [
    finding(
      "blocks",
      "patch-too-old",
      `Upgrade from etcd ${wanted} or later: ${step.patch.reason}.`,
      {
        found: old.map(({ url, version }) => `${url}: etcd ${version}`),
        mend: [`# upgrade every member to the last patch release of etcd ${step.from}`],
      },
    ),
  ];
}

/** A finding for facts that could not be found out, of members by URL. */
function notChecked(
  id: string,
  what: string,
  facts: readonly (readonly [url: string, fact: Checked<unknown>])[],
): Finding[] {
  const found = facts.flatMap(([url, fact]) =>
    isChecked(fact) ? [] : [`${url}: ${fact.unchecked}`],
  );
  if (found.length === 0) return [];
  return [finding("warning", id, `Not checked: ${what}.`, { found })];
}
