import { parseMediaType } from "../../go/media-type.js";
import { FormError } from "../../wire/form.js";
import type { ServerRequest } from "./message.js";

const FORM = "application/x-www-form-urlencoded";

/**
 * Whether a request has parameters in its body: only a PUT or POST whose content type is a form.
 *
 * @throws FormError for a content type that cannot be read
 */
export function hasFormBody(request: ServerRequest): boolean {
  const { method, headers } = request;
  if (method !== "PUT" && method !== "POST") return false;
  const contentType = headers["content-type"];
  if (contentType === undefined || contentType === "") return false;
  const { type, problem } = parseMediaType(contentType);
  if (problem !== undefined) throw new FormError(problem);
  return type === FORM && headers["content-length"] !== "0";
}
