import type { HttpRequest } from "../../wire/http.js";
import type { ServerRequest } from "../http/message.js";

/** Names the gateways that a request has passed, as HTTP proxies do. */
const VIA = "via";
const PSEUDONYM = "etcdnet-";

/** The headers of a request that go on to the cluster: the credentials of the client, and the way of the request. */
export function passedHeaders(
  { headers }: Pick<ServerRequest, "headers">,
  id: string,
): Pick<HttpRequest, "authorization" | "headers"> {
  const { authorization, [VIA]: before } = headers;
  const own = `1.1 ${PSEUDONYM}${id}`;
  return { authorization, headers: { [VIA]: before === undefined ? own : `${before}, ${own}` } };
}

/** Whether a request has passed this gateway before: the endpoints of the gateway lead back to it. */
export function isLoop({ headers }: Pick<ServerRequest, "headers">, id: string): boolean {
  return headers[VIA]?.includes(PSEUDONYM + id) ?? false;
}
