import type { HttpRequest } from "./http.js";

/** A read outside the key space. */
export function adminGet(path: string, scope: HttpRequest["scope"] = "local"): HttpRequest {
  return { method: "GET", path, safety: "read", scope, operation: `GET ${path}` };
}

/** A change outside the key space, with a JSON body if it has one. */
export function adminWrite(
  method: "PUT" | "POST" | "DELETE",
  path: string,
  content?: object,
): HttpRequest {
  const body =
    content === undefined ? {} : { body: JSON.stringify(content), contentType: "application/json" };
  return {
    method,
    path,
    ...body,
    safety: "write",
    scope: "quorum",
    operation: `${method} ${path}`,
  };
}
