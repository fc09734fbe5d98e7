import type { TransportSettings } from "./transport.js";

/** Complete settings of a {@link Cluster}. Times are in milliseconds. */
export interface ClusterSettings extends TransportSettings {
  /** Endpoints as origins, e.g. `http://127.0.0.1:2379`. Empty when `discoverySrv` finds them. */
  readonly urls: readonly string[];
  /** Domain whose SRV records name the endpoints. */
  readonly discoverySrv: string | undefined;
  /** Timeout of one attempt at a request that a member responds from its own state. */
  readonly requestTimeout: number;
  /** Timeout of one attempt at a request that needs the agreement of a quorum. */
  readonly writeTimeout: number;
  /** Timeout of a call with all its attempts. */
  readonly timeout: number;
  readonly endpointSelection: "random" | "leader";
  /** Interval of synchronization with the advertised URLs. 0: never. */
  readonly autoSync: number;
  /** Delay after which a local read is also sent to another endpoint. 0: never. */
  readonly hedgeReadsAfter: number;
  readonly retryUnknownWrites: boolean;
}
