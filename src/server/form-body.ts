import { parseMediaType } from "../go/media-type.js";
import { FormError } from "../wire/form.js";
import type { ServerRequest } from "./message.js";

const FORM = "application/x-www-form-urlencoded";

/**
 * The body of a request as form text: only PUT and POST have one that counts, and only when it is
 * declared as a form.
 *
 * @throws FormError for a content type that cannot be read
 * @throws BodyError
 */
export async function readFormBody(request: ServerRequest): Promise<string> {
  const { method, headers } = request;
  if (method !== "PUT" && method !== "POST") return "";
  const contentType = headers["content-type"];
  if (contentType === undefined || contentType === "") return "";
  const { type, problem } = parseMediaType(contentType);
  if (problem !== undefined) throw new FormError(problem);
  return type === FORM ? request.body() : "";
}
