import { randomUUID } from "node:crypto";
import type { ClientSettings } from "../../client/normalize-options.js";
import { Cluster } from "../../cluster/cluster.js";
import { V2DisabledError } from "../../errors/cluster-errors.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import type { Hint } from "../../errors/hint.js";
import { OptionError } from "../../errors/option-error.js";
import { RemoteClusterApi } from "../../key-space/remote/remote-cluster-api.js";
import { RemoteKeySpace } from "../../key-space/remote/remote-key-space.js";
import { RemoteRequests } from "../../key-space/remote/remote-requests.js";
import { isMissingNode, unusedKey } from "../../key-space/shared/read-state.js";
import type { ResponseOrigin } from "../../model/response.js";
import { Limiter } from "../../time/limiter.js";
import { MemoryBudget } from "../http/memory-budget.js";
import { OverloadError } from "../http/message.js";
import { Readiness } from "../probes/readiness.js";
import { OpenWatches } from "./open-watches.js";
import { SourceMemberProbe } from "./source-member-probe.js";

/** Recursive reads that are received at the same time: each may be as large as the whole store. */
const LISTINGS = 4;

/** Time for a body after its head. The whole store may be in it, and clients do not expect a limit. */
const BODY_TIMEOUT_MS = 300_000;

/** A v2 cluster, as a gateway in front of it uses it. */
export class SourceCluster {
  /** Identifies the gateway to itself. */
  readonly id = randomUUID();
  readonly endpoints: readonly string[];
  readonly cluster: Cluster;
  readonly requests: RemoteRequests;
  /** For requests of the gateway itself, with its own user. */
  readonly keySpace: RemoteKeySpace;
  /** Whether the gateway has a user of its own. */
  readonly hasUser: boolean;
  readonly clusterApi: RemoteClusterApi;
  readonly readiness: Readiness;
  /** Starts recursive reads. */
  readonly listings: Limiter;
  /** The watches of the gateway's clients. */
  readonly watches = new OpenWatches();
  readonly #own: Cluster;
  readonly #probe: SourceMemberProbe;

  /** @param maxReceived bytes of all responses that are being received, and of watches that clients do not read */
  constructor({ cluster: settings, deserialize }: ClientSettings, maxReceived: number) {
    const { urls, timeout: hold, clock } = settings;
    const budget = new MemoryBudget(maxReceived);
    this.endpoints = urls;
    const own = {
      ...settings,
      bodyTimeout: BODY_TIMEOUT_MS,
      receiveBudget: {
        reserve: (giveUp: (error: Error) => void) =>
          budget.reserve(() => giveUp(new OverloadError())),
      },
    };
    this.hasUser = settings.authorization !== undefined;
    // A request of a client without credentials must not get those of the gateway.
    this.cluster = new Cluster({ ...own, authorization: undefined });
    this.#own = this.hasUser ? new Cluster(own) : this.cluster;
    this.requests = new RemoteRequests(this.cluster, deserialize);
    this.keySpace = new RemoteKeySpace(this.#own, deserialize);
    this.clusterApi = new RemoteClusterApi(this.cluster);
    this.listings = new Limiter({ places: LISTINGS, hold, clock });
    this.#probe = new SourceMemberProbe(this.cluster);
    this.readiness = new Readiness(this.#probe, clock);
  }

  /** The cluster's ID in hexadecimal; empty until a member has reported it. Takes at most about half a second. */
  async clusterId(): Promise<string> {
    if (this.#probe.clusterId === "") await this.readiness.check();
    return this.#probe.clusterId;
  }

  /** The state of a member, such as its index. @throws ClusterUnavailableError, … */
  async origin(signal: AbortSignal | undefined): Promise<ResponseOrigin> {
    try {
      return await this.keySpace.execute({ action: "get", key: unusedKey("/") }, { signal });
    } catch (error) {
      if (!isMissingNode(error)) throw error;
      const { endpoint: etcdServer, clusterId: etcdClusterId = "", index } = error;
      // etcd's errors say nothing about raft.
      return { etcdServer, etcdClusterId, etcdIndex: index, raftIndex: index, raftTerm: 0 };
    }
  }

  close(): void {
    this.cluster.close();
    this.#own.close();
  }

  /** A cluster that cannot be reached does not stop a gateway from starting. @throws OptionError */
  async requireV2(): Promise<void> {
    try {
      await this.refusesGuests();
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
    }
  }

  /**
   * Reads a key.
   *
   * @returns whether the cluster refuses clients without credentials
   * @throws OptionError when it does not serve the v2 API; ClusterUnavailableError, …
   */
  async refusesGuests(): Promise<boolean> {
    try {
      await this.requests.execute({ action: "get", key: unusedKey("/"), quorum: true }, {});
    } catch (error) {
      if (error instanceof UnauthorizedError) return true;
      if (error instanceof V2DisabledError) throw withoutV2(error);
      if (!isMissingNode(error)) throw error;
    }
    return false;
  }
}

function withoutV2(cause: V2DisabledError): OptionError {
  const hint: Hint = (nameOf) =>
    "etcd 3.4 and 3.5 serve it only with --enable-v2, later releases never do; " +
    `to serve the v3 API of a cluster, omit ${nameOf("source")}`;
  return new OptionError("source", "the cluster does not serve the v2 API", hint, cause);
}
