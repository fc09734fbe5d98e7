import type { KeyRequest, ScanRequest, WatchRequest } from "../model/key-request.js";
import type { HttpRequest } from "./http.js";
import { keyPath } from "./key-path.js";

const FORM = "application/x-www-form-urlencoded";

type Parameter = string | number | boolean | undefined;

/** Encodes a key-space request for the v2 API. */
export function encodeKeyRequest(request: KeyRequest): HttpRequest {
  switch (request.action) {
    case "get": {
      const { recursive, sorted, quorum } = request;
      return encodeGet(request.key, { recursive, sorted, quorum }, quorum === true);
    }
    case "delete":
      return encodeDelete(request.key, { dir: request.dir, recursive: request.recursive });
    case "compareAndDelete": {
      const { prevValue, prevIndex } = request;
      return encodeDelete(request.key, { prevValue, prevIndex });
    }
    case "set":
      return encodeForm("PUT", request, {});
    case "update":
      return encodeForm("PUT", request, { prevExist: true });
    case "compareAndSwap": {
      const { prevValue, prevIndex } = request;
      return encodeForm("PUT", request, { prevValue, prevIndex });
    }
    case "create":
      return request.inOrder
        ? encodeForm("POST", request, {})
        : encodeForm("PUT", request, { prevExist: false });
  }
}

/** Encodes a watch for the v2 API. */
export function encodeWatchRequest(request: WatchRequest): HttpRequest {
  const { key, recursive, waitIndex, stream } = request;
  return {
    ...encodeGet(key, { wait: true, recursive, waitIndex, stream }, false),
    isWatch: true,
  };
}

/** Encodes a scan of history as a long poll, whose connection will be half-closed. */
export function encodeScanRequest({ key, recursive, since, partial }: ScanRequest): HttpRequest {
  // If several events have one index, the server rejects a poll that would omit some of them.
  const waitIndex = partial === true ? since + 1 : since;
  return { ...encodeWatchRequest({ key, recursive, waitIndex }), http1: true };
}

function encodeGet(
  key: string,
  parameters: Record<string, Parameter>,
  quorum: boolean,
): HttpRequest {
  return {
    method: "GET",
    path: withQuery(keyPath(key), parameters),
    safety: "read",
    scope: quorum ? "quorum" : "local",
    operation: `GET ${key}`,
  };
}

/** etcd reads the parameters of a DELETE only from the query. */
function encodeDelete(key: string, parameters: Record<string, Parameter>): HttpRequest {
  return {
    method: "DELETE",
    path: withQuery(keyPath(key), parameters),
    safety: "write",
    scope: "quorum",
    operation: `DELETE ${key}`,
  };
}

type FormRequest = Extract<KeyRequest, { action: "set" | "update" | "create" | "compareAndSwap" }>;

/** Values and conditions are in the body, because a long request line can break the connection. */
function encodeForm(
  method: "PUT" | "POST",
  request: FormRequest,
  conditions: Record<string, Parameter>,
): HttpRequest {
  const { key, value, ttl, noValueOnSuccess } = request;
  const dir = "dir" in request ? request.dir : undefined;
  const refresh = "refresh" in request ? request.refresh : undefined;
  return {
    method,
    path: keyPath(key),
    body: encodeParameters({ value, ttl, ...conditions, dir, refresh, noValueOnSuccess }),
    contentType: FORM,
    safety: "write",
    scope: "quorum",
    operation: `${method} ${key}`,
  };
}

function withQuery(path: string, parameters: Record<string, Parameter>): string {
  const query = encodeParameters(parameters);
  return query === "" ? path : `${path}?${query}`;
}

/** Omits absent parameters. `false` is absent, except for `prevExist`, where it means "create". */
function encodeParameters(parameters: Record<string, Parameter>): string {
  let text = "";
  for (const name in parameters) {
    const parameter = parameters[name];
    if (parameter === undefined || (parameter === false && name !== "prevExist")) continue;
    if (text !== "") text += "&";
    text += `${name}=${encodeURIComponent(parameter)}`;
  }
  return text;
}
