import { EtcdError, type EtcdErrorParts } from "./etcd-error.js";

/** An error response of etcd, and its request. */
export interface ServerErrorInfo {
  /** etcd's error code. */
  readonly errorCode: number;
  /** etcd's text for the code. */
  readonly reason: string;
  /** etcd's `cause`, such as the missing path or `[given != actual]`; empty when there is none. */
  readonly detail: string;
  /** Index of the key space when the request failed; 0 when it never reached the key space. */
  readonly index: number;
  /** HTTP status; without HTTP, the status in etcd's error table. */
  readonly status: number;
  /** Key of the request. */
  readonly key: string;
  /** Method and key, e.g. `GET /a`. */
  readonly operation: string;
  /** URL of the endpoint that responded. */
  readonly endpoint: string;
  /** `X-Etcd-Cluster-Id`; absent when the response has no such header. */
  readonly clusterId?: string | undefined;
}

/** etcd processed the request and returned an error: nothing was changed. */
export class EtcdServerError extends EtcdError implements ServerErrorInfo {
  override readonly name: string = "EtcdServerError";
  override readonly code: string = "ETCD_SERVER";
  readonly errorCode: number;
  readonly reason: string;
  readonly detail: string;
  readonly index: number;
  readonly status: number;
  readonly key: string;
  readonly operation: string;
  readonly endpoint: string;
  readonly clusterId: string | undefined;

  constructor(info: ServerErrorInfo);
  /** @internal */
  constructor(info: ServerErrorInfo, advice: Pick<EtcdErrorParts, "hint" | "option">);
  constructor(info: ServerErrorInfo, advice: Pick<EtcdErrorParts, "hint" | "option"> = {}) {
    super(messageOf(info), advice);
    this.errorCode = info.errorCode;
    this.reason = info.reason;
    this.detail = info.detail;
    this.index = info.index;
    this.status = info.status;
    this.key = info.key;
    this.operation = info.operation;
    this.endpoint = info.endpoint;
    this.clusterId = info.clusterId;
  }
}

function messageOf({ operation, endpoint, reason, detail, errorCode }: ServerErrorInfo): string {
  const what = detail === "" ? reason : `${reason} (${detail})`;
  return `${operation} at ${endpoint}: ${what} [etcd error ${errorCode}]`;
}

/** 100–199: the state of the key space does not allow the request. */
export class EtcdCommonError extends EtcdServerError {
  override readonly name: string = "EtcdCommonError";
  override readonly code: string = "ETCD_COMMON";
}

/** 200–299: etcd did not accept the parameters of the request. */
export class EtcdPostFormError extends EtcdServerError {
  override readonly name: string = "EtcdPostFormError";
  override readonly code: string = "ETCD_POST_FORM";
}

/** 300–399: the members could not agree. */
export class EtcdRaftError extends EtcdServerError {
  override readonly name: string = "EtcdRaftError";
  override readonly code: string = "ETCD_RAFT";
}

/** 400–499: a watch could not be served. */
export class EtcdEventError extends EtcdServerError {
  override readonly name: string = "EtcdEventError";
  override readonly code: string = "ETCD_EVENT";
}
