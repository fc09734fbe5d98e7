import type { TransportSettings } from "./transport.js";

/** Everything that a {@link Cluster} is told, complete. Times are in milliseconds. */
export interface ClusterSettings extends TransportSettings {
  /** Endpoints as origins, e.g. `http://127.0.0.1:2379`; empty when `discoverySrv` finds them. */
  readonly urls: readonly string[];
  /** Domain whose SRV records name the endpoints. */
  readonly discoverySrv: string | undefined;
  /** One attempt at what a member answers from its own state. */
  readonly requestTimeout: number;
  /** One attempt at what the members must agree on. */
  readonly writeTimeout: number;
  /** A whole call. */
  readonly timeout: number;
  readonly endpointSelection: "random" | "leader";
  /** Time between two synchronisations with the advertised URLs; 0: never. */
  readonly autoSync: number;
  /** Wait before a local read is asked elsewhere as well; 0: never. */
  readonly hedgeReadsAfter: number;
  readonly retryUnknownWrites: boolean;
}
