import { EtcdPostFormError } from "./server-error.js";

/** 201: `prevValue` was empty. */
export class PrevValueRequiredError extends EtcdPostFormError {
  override readonly name = "PrevValueRequiredError";
  override readonly code = "ETCD_PREV_VALUE_REQUIRED";
}

/** 202: `ttl` was not a whole number of seconds. */
export class TtlNaNError extends EtcdPostFormError {
  override readonly name = "TtlNaNError";
  override readonly code = "ETCD_TTL_NAN";
}

/** 203: `prevIndex` or `waitIndex` was not an index. */
export class IndexNaNError extends EtcdPostFormError {
  override readonly name = "IndexNaNError";
  override readonly code = "ETCD_INDEX_NAN";
}

/** 209: etcd does not accept the value of a parameter; `detail` names the parameter. */
export class InvalidFieldError extends EtcdPostFormError {
  override readonly name = "InvalidFieldError";
  override readonly code = "ETCD_INVALID_FIELD";
}

/** 210: the form could not be decoded, or was larger than 10 MiB. */
export class InvalidFormError extends EtcdPostFormError {
  override readonly name = "InvalidFormError";
  override readonly code = "ETCD_INVALID_FORM";
}

/** 211: a refresh had a value. */
export class RefreshValueError extends EtcdPostFormError {
  override readonly name = "RefreshValueError";
  override readonly code = "ETCD_REFRESH_VALUE";
}

/** 212: a refresh had no TTL. */
export class RefreshTtlRequiredError extends EtcdPostFormError {
  override readonly name = "RefreshTtlRequiredError";
  override readonly code = "ETCD_REFRESH_TTL_REQUIRED";
}
