import type { Release } from "../../scripts/etcd-binaries.mjs";

/** Whether tests run on every release in docs/support.md, not only on those of each run. */
export const IS_EVERY_RELEASE = process.env.ETCDNET_SUPPORT === "all";

/** The releases of etcd on which a suite runs. */
export function releases(
  always: readonly Release[],
  others: readonly Release[],
): readonly Release[] {
  return IS_EVERY_RELEASE ? [...always, ...others] : always;
}
