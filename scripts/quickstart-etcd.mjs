// @ts-check
import { ensureEtcd } from "./etcd-binaries.mjs";
import { startEtcdProcess } from "./etcd-process.mjs";

/** Releases that serve the v2 API, the quickest to get first. */
const RELEASES = /** @type {const} */ (["3.4", "3.5"]);

/**
 * The cluster that ETCD_URLS names, or an etcd started for the tour.
 *
 * @returns {Promise<{ urls: string[], stop: () => Promise<void> }>}
 */
export async function etcdForTour() {
  const { ETCD_URLS } = process.env;
  if (ETCD_URLS) return { urls: ETCD_URLS.split(","), stop: async () => {} };
  const reasons = [];
  for (const release of RELEASES) {
    const found = await ensureEtcd(release);
    if ("missing" in found) {
      reasons.push(`etcd ${release} ${found.missing}`);
      continue;
    }
    console.log(`Starting etcd ${found.version} …`);
    const etcd = await startEtcdProcess({ binary: found.path, v2: true });
    return { urls: [etcd.url], stop: () => etcd.remove() };
  }
  throw new Error(
    `no etcd for the tour; name one of yours in ETCD_URLS, or:\n  ${reasons.join("\n  ")}`,
  );
}
