import { EtcdClient } from "../client/etcd-client.js";
import type { EtcdClientOptions } from "../client/options.js";
import type { ArmOptions } from "./arm.js";
import type { MemberAt } from "./users.js";

/** The v2 cluster of a cut-over, for the process that carries it out. */
export interface CutoverSource extends AsyncDisposable {
  readonly client: EtcdClient;
  readonly memberAt: MemberAt;
  readonly user: ArmOptions["user"];
  /** Without credentials. */
  readonly guest: EtcdClient;
}

/** @throws OptionError */
export function openSource(options: EtcdClientOptions): CutoverSource {
  const client = new EtcdClient(options);
  const { username: name, password, ...anonymous } = options;
  const guest = new EtcdClient(anonymous);
  return {
    client,
    memberAt: (url) => new EtcdClient({ ...options, urls: [url] }),
    user: name !== undefined && typeof password === "string" ? { name, password } : undefined,
    guest,
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), guest.close()]);
    },
  };
}
