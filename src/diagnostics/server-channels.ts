import { channel } from "./diagnostics-channel.js";

/** Message of `etcdnet:server-request`. Published when a server has sent a response, or its client has gone. */
export interface ServerRequestTrace {
  readonly method: string;
  /** Path as the client sent it, percent-encoded, without the query. */
  readonly path: string;
  /** Names of the query parameters that etcd knows. Values are never published. */
  readonly parameters: readonly string[];
  readonly status: number;
  /** Bytes written to the connection for this response, headers included. */
  readonly bytes: number;
  /** Milliseconds until the response began. A long poll begins at once. */
  readonly begunAfter: number;
  /** Milliseconds until the response ended. */
  readonly duration: number;
  /** IP address of the client. */
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  /** User name of the credentials, or Common Name of the certificate; not checked. */
  readonly user: string | undefined;
  /** Whether the response was sent completely. */
  readonly complete: boolean;
}

/** Message of `etcdnet:server-state`. Published when the state of a server changes. */
export type ServerStateTrace =
  /** Whether `/readyz` returns 200; `problem` if not. */
  | { readonly kind: "ready"; readonly problem: string | undefined }
  /**
   * A check has read from a member, in vain if there is an `error`. Published for each check. `raftTerm`
   * increases with each election; absent with an error, and without raft.
   */
  | {
      readonly kind: "member";
      readonly endpoint: string;
      readonly error: Error | undefined;
      readonly raftTerm?: number | undefined;
    }
  /** The watch on etcd that serves all clients: `lost`, `restored`, or `ended`, so that clients must open theirs again. */
  | {
      readonly kind: "watch";
      readonly event: "lost" | "restored" | "ended";
      /** Prefix of the watched keys in v3. */
      readonly keyPrefix: string;
      readonly cause?: Error | undefined;
    }
  /**
   * A cut-over from v2 to v3: its phase; `lost` while the gateway cannot renew its registration, and `restored` after
   * that; `late-change` when v2 is changed after its end, at most once a minute.
   */
  | {
      readonly kind: "cutover";
      readonly event:
        | ("arming" | "armed" | "holding" | "target" | "returning" | "returned")
        | ("lost" | "restored" | "late-change");
      readonly cause?: Error | undefined;
    }
  /** v2 auth, as far as this process knows. */
  | { readonly kind: "auth"; readonly enabled: boolean };

const requests = channel("etcdnet:server-request");
const states = channel("etcdnet:server-state");

/** Whether anybody listens for requests. */
export function tracesServerRequests(): boolean {
  return requests.hasSubscribers;
}

export function traceServerRequest(trace: ServerRequestTrace): void {
  requests.publish(trace);
}

export function traceServerState(trace: ServerStateTrace): void {
  if (states.hasSubscribers) states.publish(trace);
}
