import { fieldOf, kindOf, readWholeJson } from "../../go/json-fields.js";
import { GoJsonError } from "../../go/json-scanner.js";
import { readPeerUrls } from "../../model/peer-urls.js";
import { readJsonBody } from "../http/json-body.js";
import { JSON_TYPE, type ServerRequest } from "../http/message.js";
import { RequestError } from "../http/request-error.js";

const MAX_URLS_BODY_BYTES = 256 * 1024;

/** The type that Go decodes the body into, in Go's notation. */
const GO_TYPE = 'struct { PeerURLs []string "json:\\"peerURLs\\"" }';
const GO_FIELD = "Go struct field .peerURLs";

/** The peer URLs in the JSON body of a request. @throws RequestError */
export async function readPeerUrlsBody(request: ServerRequest): Promise<readonly string[]> {
  requireJson(request.headers["content-type"] ?? "");
  const read = (text: string): readonly string[] => readPeerUrls(listIn(readWholeJson(text)));
  return readJsonBody(request, MAX_URLS_BODY_BYTES, read, ({ message }) => message);
}

/** Case-sensitive, except when parameters follow, as in etcd. @throws RequestError */
function requireJson(contentType: string): void {
  const semicolon = contentType.indexOf(";");
  const type =
    semicolon === -1 ? contentType : contentType.slice(0, semicolon).toLowerCase().trim();
  if (type === JSON_TYPE) return;
  throw new RequestError(415, `Bad Content-Type ${type}, accept application/json`);
}

/** @throws GoJsonError where Go cannot decode a list of strings */
function listIn(body: unknown): readonly string[] {
  const field = fieldOf(body, "peerURLs");
  if (field.found === undefined) throw mismatch(field.kind, `Go value of type ${GO_TYPE}`);
  return field.found.map(textsIn).at(-1) ?? [];
}

function textsIn(value: unknown): readonly string[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw mismatch(kindOf(value), `${GO_FIELD} of type []string`);
  return value.map((item: unknown) => {
    if (item === null) return "";
    if (typeof item !== "string") throw mismatch(kindOf(item), `${GO_FIELD} of type string`);
    return item;
  });
}

function mismatch(kind: string, target: string): GoJsonError {
  return new GoJsonError(`json: cannot unmarshal ${kind} into ${target}`);
}
