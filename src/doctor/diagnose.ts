import { isChecked, knownValue } from "./checked.js";
import { checkMembers, checkPatch, checkStorage, knownMembers } from "./cluster-checks.js";
import type { ClusterFacts } from "./cluster-facts.js";
import type { ClusterCommands, MemberStart } from "./commands.js";
import { checkDirectory, doctorLine } from "./directory-checks.js";
import type { DirectoryFacts } from "./directory-facts.js";
import { type Diagnosis, type Finding, finding } from "./finding.js";
import { checkV2Auth, checkV2Keys, checkV3Keys } from "./v2-checks.js";
import {
  checkFlags,
  checkStep,
  lowestMinor,
  minorOf,
  nextMinor,
  stepTo,
  type VersionStep,
} from "./version-steps.js";

/**
 * What the endpoints of a cluster show about an upgrade.
 *
 * @param target release such as `3.6`; default: the one after that of the cluster
 */
export function diagnoseCluster(
  facts: ClusterFacts,
  commands: ClusterCommands,
  target: string | undefined,
): Diagnosis {
  const known = knownMembers(facts);
  const from = lowestMinor(
    known.flatMap(({ version, clusterVersion }) =>
      [version, knownValue(clusterVersion) ?? version]
        .map(minorOf)
        .filter((minor) => minor !== undefined),
    ),
  );
  const to = target ?? (from && nextMinor(from));
  const members = checkMembers(facts, commands);
  if (known.length === 0) return { from, to, findings: members };
  const steps = checkStep(from, to, (next) => commands.doctor({ to: next }));
  const step = to === undefined ? undefined : stepTo(to);
  return {
    from,
    to,
    findings: [
      ...members,
      ...steps,
      ...(step === undefined ? [] : checkPatch(known, step)),
      ...checkStorage(facts, commands),
      ...v2Data(facts, step, commands),
      ...v2Api(facts, step),
      ...v3Auth(facts),
      ...(step === undefined ? [] : files(step)),
      ...(step === undefined ? [] : [checkFlags(step)]),
    ],
  };
}

/** The v2 API itself: with it, a health check is enough to put a request into the log. */
function v2Api(facts: ClusterFacts, step: VersionStep | undefined): Finding[] {
  const known = knownMembers(facts);
  const unknown = known.flatMap(({ url, servesV2 }) =>
    isChecked(servesV2) ? [] : [`${url}: ${servesV2.unchecked}`],
  );
  const serving = known
    .filter(({ servesV2 }) => knownValue(servesV2) === true)
    .map(({ url }) => url);
  const findings: Finding[] = [];
  if (unknown.length > 0) {
    const problem = "Not checked: whether members serve the v2 API.";
    findings.push(finding("blocks", "v2-api-unknown", problem, { found: unknown }));
  }
  if (serving.length === 0 || step === undefined) return findings;
  if (step.servesV2) {
    findings.push(
      finding(
        "note",
        "v2-api",
        `Members serve the v2 API: etcd ${step.to} serves it only with --enable-v2, and it is the last release that does.`,
        { found: serving },
      ),
    );
    return findings;
  }
  findings.push(
    finding(
      "blocks",
      "v2-api",
      `Members serve the v2 API: etcd ${step.to} does not know --enable-v2, and each request, also a health check, puts an entry into the log that it refuses.`,
      {
        found: serving,
        mend: [
          "# after the v2 keys are removed: restart each member, one after the other, with its flags and",
          "# --enable-v2=false --snapshot-count=1",
        ],
      },
    ),
  );
  return findings;
}

function v2Data(
  facts: ClusterFacts,
  step: VersionStep | undefined,
  commands: ClusterCommands,
): Finding[] {
  const { v2, v2Auth, v3Keys, keyPrefix } = facts;
  const context = { step, commands, keyPrefix, start: [] };
  const severity = step?.refusesV2Snapshot === true ? "blocks" : "warning";
  const unchecked = (id: string, what: string, reason: string): Finding =>
    finding(severity, id, `Not checked: ${what}.`, { found: [reason] });
  const findings: Finding[] = [];
  if (v2Auth !== undefined) {
    findings.push(
      ...(isChecked(v2Auth)
        ? checkV2Auth(v2Auth.value, context)
        : [unchecked("v2-auth-unknown", "users and roles of v2 auth", v2Auth.unchecked)]),
    );
  }
  if (v2 === undefined) return findings;
  if (!isChecked(v2)) {
    findings.push(unchecked("v2-keys-unknown", "the keys of the v2 store", v2.unchecked));
    return findings;
  }
  findings.push(...checkV2Keys(v2.value, context));
  if (v2.value.tops.count > 0) findings.push(...checkV3Keys(v3Keys, keyPrefix, context));
  return findings;
}

function v3Auth({ v3Auth }: ClusterFacts): Finding[] {
  if (!isChecked(v3Auth)) {
    const problem = "Not checked: whether the v3 API needs a user.";
    return [finding("note", "v3-auth", problem, { found: [v3Auth.unchecked] })];
  }
  if (!v3Auth.value) return [];
  const problem =
    "v3 auth is enabled: a copy to v3 needs a user, and from etcd 3.6 on also the list of members.";
  return [finding("note", "v3-auth", problem)];
}

/** What no endpoint can show. */
function files(step: VersionStep): Finding[] {
  if (step.refusesInLog === "none") return [];
  return [
    finding(
      "blocks",
      "files-not-checked",
      `Not checked: the files of the members, in which etcd ${step.to} may refuse old v2 requests, snapshots and hidden keys.`,
      {
        mend: [
          "# on the machine of each member, with that member stopped, or on a copy of its directory:",
          `etcdnet doctor --data-dir DIR --to ${step.to}`,
        ],
      },
    ),
  ];
}

/** What the files of a member that does not run show about an upgrade. */
export function diagnoseDirectory(facts: DirectoryFacts, target: string | undefined): Diagnosis {
  const from = facts.clusterVersion === undefined ? undefined : minorOf(facts.clusterVersion);
  const to = target ?? (from && nextMinor(from));
  const steps = checkStep(from, to, (next) => doctorLine(facts.start, next));
  const step = to === undefined ? undefined : stepTo(to);
  return {
    from,
    to,
    findings: [
      ...steps,
      ...(step === undefined ? [] : checkDirectory(facts, step)),
      ...(step === undefined ? [] : [checkFlags(step)]),
    ],
  };
}

/** A directory whose files could not be read. */
export function unreadableDirectory(
  error: Error,
  directories: Pick<MemberStart, "dataDir" | "walDir">,
  to: string | undefined,
): Diagnosis {
  const problem = "Not checked: the files of the member could not be read.";
  const mend = [
    "# name the --data-dir of a member that is stopped, or a copy of it:",
    doctorLine(directories, to),
  ];
  const found = [error.message];
  return {
    from: undefined,
    to,
    findings: [finding("blocks", "files-unreadable", problem, { found, mend })],
  };
}
