import { type Finding, finding } from "./finding.js";

/** The entries of the raft log that a release refuses when it applies them. */
type RefusedRequests = "none" | "v2-keys" | "all-v2";

/** What one step to the next minor release requires. */
export interface VersionStep {
  readonly from: string;
  readonly to: string;
  /** The lowest patch release of `from` to upgrade from, and why. */
  readonly patch: { readonly atLeast: number; readonly reason: string };
  /** Whether `to` can serve the v2 API. */
  readonly servesV2: boolean;
  /** Whether `to` refuses a snapshot file with v2 keys, v2 users or v2 roles. */
  readonly refusesV2Snapshot: boolean;
  /**
   * `v2-keys`: every request of the v2 API, also a read or a health check, but not the announcements
   * of members and of the cluster's version. `all-v2`: these too.
   */
  readonly refusesInLog: RefusedRequests;
  /** Whether `to` reads the members from the v3 store, and `from` from the v2 store. */
  readonly readsMembersFromV3: boolean;
  /** Flags that `to` does not know. With one of them, it exits with code 2. */
  readonly removedFlags: readonly string[];
}

/** The steps, as tried with etcd 3.4.23, 3.5.35, 3.6.16 and 3.7.3. */
export const VERSION_STEPS: readonly VersionStep[] = [
  {
    from: "3.4",
    to: "3.5",
    patch: { atLeast: 0, reason: "" },
    servesV2: true,
    refusesV2Snapshot: false,
    refusesInLog: "none",
    readsMembersFromV3: false,
    removedFlags: [
      "--debug",
      "--experimental-backend-bbolt-freelist-type",
      "--log-output",
      "--log-package-levels",
      "--logger=capnslog",
    ],
  },
  {
    from: "3.5",
    to: "3.6",
    patch: {
      atLeast: 26,
      reason:
        "3.6 reads the members from the v3 store, where older releases leave removed members and unpromoted learners",
    },
    servesV2: false,
    refusesV2Snapshot: true,
    refusesInLog: "v2-keys",
    readsMembersFromV3: true,
    removedFlags: [
      "--enable-v2",
      "--experimental-enable-v2v3",
      "--proxy*",
      "--v2-deprecation=not-yet",
    ],
  },
  {
    from: "3.6",
    to: "3.7",
    patch: { atLeast: 0, reason: "" },
    servesV2: false,
    refusesV2Snapshot: false,
    refusesInLog: "all-v2",
    readsMembersFromV3: false,
    removedFlags: ["--discovery", "--discovery-proxy", "--experimental-*"],
  },
];

/** A release such as `3.5` with its parts. */
const RELEASE = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?/;

/** The minor release of a version: `3.5` for `3.5.35`; `undefined` for other text. */
export function minorOf(version: string): string | undefined {
  const [, major, minor] = RELEASE.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}`;
}

function patchOf(version: string): number {
  return Number(RELEASE.exec(version)?.[3] ?? 0);
}

/** Compares minor releases such as `3.5`. */
export function compareMinors(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}

/** The release after this one; `undefined` if none is known. */
export function nextMinor(from: string): string | undefined {
  return VERSION_STEPS.find((step) => step.from === from)?.to;
}

export function stepTo(to: string): VersionStep | undefined {
  return VERSION_STEPS.find((step) => step.to === to);
}

/** The lowest of some minor releases. */
export function lowestMinor(minors: readonly string[]): string | undefined {
  return [...minors].sort(compareMinors)[0];
}

/** Whether etcd can go from one release to the other in one step. */
export function checkStep(
  from: string | undefined,
  to: string | undefined,
  doctorFor: (to: string) => string,
): Finding[] {
  if (from === undefined) {
    return [finding("blocks", "version-unknown", "Not checked: the release of etcd is not known.")];
  }
  if (to === undefined) {
    const known = VERSION_STEPS.map((step) => step.to).join(", ");
    return [
      finding(
        "blocks",
        "step-unknown",
        `Not checked: no release after etcd ${from} is known; choose one of ${known} with --to.`,
      ),
    ];
  }
  const order = compareMinors(to, from);
  if (order === 0) {
    return [finding("note", "same-release", `The data is already of etcd ${to}.`)];
  }
  if (order < 0) {
    return [
      finding(
        "blocks",
        "downgrade",
        `etcd ${to} refuses data of etcd ${from} ("invalid downgrade"); see "etcdctl downgrade" of etcd ${from}.`,
      ),
    ];
  }
  const next = nextMinor(from);
  if (next === to) return [];
  const mend =
    next === undefined
      ? []
      : [
          `# upgrade every member to etcd ${next} first; this shows what it needs:`,
          doctorFor(next),
        ];
  return [
    finding(
      "blocks",
      "release-skipped",
      `etcd ${to} must not follow etcd ${from}: etcd is upgraded by one minor release at a time. It may start nevertheless, and lose data without a message.`,
      { mend },
    ),
  ];
}

/** Whether a member runs a patch release from which the step is safe. */
export function isPatchTooOld(version: string, step: VersionStep): boolean {
  return minorOf(version) === step.from && patchOf(version) < step.patch.atLeast;
}

/** Reminds of flags: neither an endpoint nor a data directory shows with which ones a member runs. */
export function checkFlags(step: VersionStep): Finding {
  return finding(
    "note",
    "flags",
    `Not checked: the flags of the members. etcd ${step.to} exits at its start if it gets one that it does not know.`,
    { found: [`removed in etcd ${step.to}: ${step.removedFlags.join(" ")}`] },
  );
}
