import type { Cluster } from "../../cluster/cluster.js";
import { AdminError } from "../../errors/admin-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import type { EndpointHealth, Version } from "../../model/cluster.js";
import { adminGet, adminWrite } from "../../wire/admin-request.js";
import {
  isLeaderStats,
  isMember,
  isMemberList,
  isSelfStats,
  isStoreStats,
  isVersion,
} from "../../wire/admin-response.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { readHealth } from "../../wire/health.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import { decodeResponse, requestAtEndpoint, requireSuccess } from "../../wire/http-response.js";
import { pathOfNamed } from "../../wire/key-path.js";
import type { AuthApi } from "../auth-api.js";
import type { CallOptions } from "../call-options.js";
import type { ClusterApi, MembersApi, StatsApi } from "../cluster-api.js";
import { type HealthCheck, healthOfEach, isAnyHealthy } from "../endpoint-health.js";
import { AdminCaller } from "./admin-caller.js";
import { RemoteAuth } from "./remote-auth.js";

/** The cluster information of a cluster with the v2 API. */
export class RemoteClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly auth: AuthApi;
  readonly #cluster: Cluster;
  readonly #admin: AdminCaller;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#admin = new AdminCaller(cluster);
    this.members = remoteMembers(this.#admin);
    this.stats = remoteStats(this.#admin);
    this.auth = new RemoteAuth(this.#admin);
  }

  machines({ signal }: CallOptions = {}): Promise<readonly string[]> {
    const request = adminGet("/v2/machines");
    return this.#cluster.send(
      request,
      (response) => {
        requireSuccess(request, response);
        return decodeResponse(() => readMachines(request, response));
      },
      signal,
    );
  }

  version(options?: CallOptions): Promise<Version> {
    return this.#admin.read("/version", isVersion, options);
  }

  health({ signal }: CallOptions = {}): Promise<readonly EndpointHealth[]> {
    return healthOfEach(this.#cluster, this.#checkHealth, signal);
  }

  isHealthy(): Promise<boolean> {
    return isAnyHealthy(this.#cluster, this.#checkHealth);
  }

  readonly #checkHealth: HealthCheck = (endpoint, signal) =>
    this.#cluster.probe(endpoint, adminGet("/health"), readHealth, signal);
}

/** Reads a list of URLs, which is text. */
function readMachines(request: HttpRequest, response: HttpResponse): readonly string[] {
  const urls = response.body.split(", ").filter((url) => url !== "");
  if (urls.every((url) => URL.canParse(url))) return urls;
  const origin = requestAtEndpoint(request, response);
  throw new ProtocolError(`${origin}: the response is not a list of URLs`);
}

function remoteMembers(admin: AdminCaller): MembersApi {
  const pathOf = (id: string): string => pathOfNamed("/v2/members", id);
  return {
    async list(options) {
      return (await admin.read("/v2/members", isMemberList, options)).members;
    },
    leader: (options) => admin.read("/v2/members/leader", isMember, options),
    add: (peerURLs, options) =>
      admin.write(adminWrite("POST", "/v2/members", { peerURLs }), isMember, options),
    update: async (id, peerURLs, options) =>
      admin.command(adminWrite("PUT", pathOf(id), { peerURLs }), options),
    remove: async (id, options) => admin.command(adminWrite("DELETE", pathOf(id)), options),
  };
}

function remoteStats(admin: AdminCaller): StatsApi {
  return {
    self: (options) => admin.read("/v2/stats/self", isSelfStats, options),
    store: (options) => admin.read("/v2/stats/store", isStoreStats, options),
    leader: (options) => admin.read("/v2/stats/leader", isLeaderStats, options, notLeader),
  };
}

/** A healthy follower refuses: try the other members. */
function notLeader(error: unknown): unknown {
  return error instanceof AdminError && error.status === 403
    ? new AttemptFailure("no", error, "healthy")
    : error;
}
