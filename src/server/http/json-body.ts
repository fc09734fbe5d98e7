import { GoJsonError } from "../../go/json-scanner.js";
import { PeerUrlError } from "../../model/peer-urls.js";
import { BodyError, type ServerRequest } from "./message.js";
import { RequestError } from "./request-error.js";

/** JSON of an unexpected shape. The message quotes nothing, because the JSON may contain a password. */
export class JsonShapeError extends Error {}

const REFUSALS = [BodyError, GoJsonError, SyntaxError, JsonShapeError, PeerUrlError];

/**
 * Reads the JSON body of a request.
 *
 * @param messageOf etcd's message for a body that is not valid
 * @throws RequestError 400 for a body that is too large, not JSON, or refused by `read`
 */
export async function readJsonBody<T>(
  request: ServerRequest,
  maxSize: number,
  read: (text: string) => T,
  messageOf: (error: Error) => string,
): Promise<T> {
  try {
    return read(await request.body(maxSize));
  } catch (error) {
    if (!REFUSALS.some((kind) => error instanceof kind)) throw error;
    throw new RequestError(400, messageOf(error as Error));
  }
}
