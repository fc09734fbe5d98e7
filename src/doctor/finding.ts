/** What a finding means for the upgrade. `blocks`: it must be mended, or checked, before. */
export type Severity = "blocks" | "warning" | "note";

/** One thing that stands between a cluster, or a member's files, and a release of etcd. */
export interface Finding {
  /** A stable name in kebab-case, for scripts. */
  readonly id: string;
  readonly severity: Severity;
  /** One sentence. It begins with "Not checked:" if a fact could not be found out. */
  readonly problem: string;
  /** Numbers, and at most a few keys. Never values or secrets. */
  readonly found: readonly string[];
  /**
   * Lines for a shell that mend it, in this order. A line that begins with `#` is a comment. An `etcd`
   * runs until the next line that begins with `etcd`, or until the last line.
   */
  readonly mend: readonly string[];
}

/** What a check found, for the upgrade from one release to another. */
export interface Diagnosis {
  /** Releases, such as `3.5`. `from` is absent if it is not known. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly findings: readonly Finding[];
}

/** Parts of a finding that may be left out. */
type Details = Partial<Pick<Finding, "found" | "mend">>;

export function finding(
  severity: Severity,
  id: string,
  problem: string,
  { found = [], mend = [] }: Details = {},
): Finding {
  return { id, severity, problem, found, mend };
}

/** Whether nothing stands between the cluster and the release. */
export function isClear({ findings }: Diagnosis): boolean {
  return !findings.some(({ severity }) => severity === "blocks");
}
