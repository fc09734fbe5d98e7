import { AuthStore } from "../auth/auth-store.js";
import { checkOptions, completeOptions } from "../client/normalize-options.js";
import type { EtcdClientOptions } from "../client/options.js";
import { GuardedV3Api } from "../etcd3/guarded-v3-api.js";
import { RemoteV3Api } from "../etcd3/remote-v3-api.js";
import type { V3Api } from "../etcd3/v3-api.js";
import { linearizable } from "../key-space/decorators/linearizable.js";
import { v3Probes } from "../key-space/v3/admin/v3-probes.js";
import { authPrefix, cutoverPrefix, KeySchema } from "../key-space/v3/schema/key-schema.js";
import { V3KeySpace } from "../key-space/v3/v3-key-space.js";
import type { V3KeySpaceOptions } from "../key-space/v3/v3-key-space-options.js";
import type { Clock } from "../time/clock.js";
import { CopyGuard } from "./copy-guard.js";
import { CutoverRecords } from "./cutover-records.js";
import { KeptIndexes } from "./kept-indexes.js";

/** The v3 cluster of a cut-over, for the process that carries it out. */
export interface CutoverTarget extends AsyncDisposable {
  readonly records: CutoverRecords;
  /** The keys. They can be written only while this process may copy. */
  readonly keySpace: V3KeySpace;
  /** The keys, to be read and watched. */
  readonly reader: V3KeySpace;
  readonly guard: CopyGuard;
  readonly clock: Clock;
  /** The indexes from before a switch. They are written under the same condition. @param switches number of the switch */
  keptAt(switches: number): KeptIndexes;
  /** Users and roles of v2 auth, as gateways enforce them after the switch. They are written under the same condition. */
  readonly users: AuthStore;
}

/** @throws OptionError */
export function openTarget(options: EtcdClientOptions): CutoverTarget {
  checkOptions(options);
  const complete = completeOptions({ ...options, api: "v3" });
  const { cluster: settings, keyPrefix, credentials } = complete;
  const { clock, timeout } = settings;
  const api = new RemoteV3Api(settings, credentials, v3Probes);
  const common: V3KeySpaceOptions = { clock, timeout };
  const records = recordsOf(api, keyPrefix, common);
  const guard = new CopyGuard(records, new KeySchema(cutoverPrefix(keyPrefix)));
  const guarded = new GuardedV3Api(api, guard);
  // What they read decides which TTLs are written.
  const tree: V3KeySpaceOptions = { ...common, keyPrefix, asksForTtls: true };
  const keySpace = new V3KeySpace(guarded, tree);
  const reader = new V3KeySpace(api, tree);
  const keptAt = (switches: number) => new KeptIndexes(guarded, keyPrefix, switches);
  const auth = linearizable(
    new V3KeySpace(guarded, { ...common, keyPrefix: authPrefix(keyPrefix) }),
  );
  const close = async (): Promise<void> => {
    await Promise.all([keySpace, reader, auth, records.keySpace].map((each) => each.close()));
  };
  const parts = { records, keySpace, reader, guard, clock, users: new AuthStore(auth) };
  return { ...parts, keptAt, [Symbol.asyncDispose]: close };
}

/** The records of a cut-over to the tree with a prefix. */
export function recordsOf(
  api: V3Api,
  keyPrefix: string,
  options: Omit<V3KeySpaceOptions, "keyPrefix">,
): CutoverRecords {
  return new CutoverRecords(
    new V3KeySpace(api, { ...options, keyPrefix: cutoverPrefix(keyPrefix) }),
  );
}
