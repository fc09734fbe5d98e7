import { UnauthorizedError } from "../errors/common-errors.js";
import { EtcdError } from "../errors/etcd-error.js";
import { V3DisabledError } from "../errors/v3-errors.js";
import { toHexId } from "../etcd3/hex-id.js";
import { RPC } from "../etcd3/rpcs.js";
import type { V3Api, V3Call } from "../etcd3/v3-api.js";

const CALL: V3Call = {
  operation: "POST /v3/maintenance/status",
  key: "/",
  safety: "read",
  scope: "local",
};

/** Identifies the cluster behind a gateway. */
export class ClusterIdentity {
  readonly #api: V3Api;
  #known: string | undefined;

  constructor(api: V3Api) {
    this.#api = api;
  }

  /** The cluster's ID in hexadecimal, not padded; empty until a member has reported it. */
  async clusterId(): Promise<string> {
    try {
      this.#known ??= await this.#readClusterId();
      return this.#known;
    } catch (error) {
      if (error instanceof EtcdError) return "";
      throw error;
    }
  }

  /**
   * Whether the cluster can be reached.
   *
   * @throws V3DisabledError, UnauthorizedError: waiting for the cluster would not help
   */
  async check(): Promise<boolean> {
    try {
      this.#known = await this.#readClusterId();
      return true;
    } catch (error) {
      const isFinal = error instanceof V3DisabledError || error instanceof UnauthorizedError;
      if (isFinal || !(error instanceof EtcdError)) throw error;
      return false;
    }
  }

  async #readClusterId(): Promise<string> {
    return toHexId((await this.#api.call(RPC.status, {}, CALL)).header.cluster_id);
  }
}
