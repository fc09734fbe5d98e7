import { plainError, type ServerReply, TEXT_TYPE } from "../http/message.js";
import type { Route } from "../http/router.js";

/** Why other servers should get the requests, in one line; undefined if this server is ready for them. */
export type NotReady = () => string | undefined | Promise<string | undefined>;

const OK: ServerReply = {
  status: 200,
  headers: ["Content-Type", TEXT_TYPE, "X-Content-Type-Options", "nosniff"],
  body: "ok\n",
};

/** Serves `/livez` and `/readyz` without credentials, with etcd's texts for success. */
export function probeRoutes(notReady: NotReady): readonly Route[] {
  const ready = async (): Promise<ServerReply> => {
    const reason = await notReady();
    return reason === undefined ? OK : plainError(503, `not ready: ${reason}`);
  };
  return [route("/livez", () => OK), route("/readyz", ready)];
}

function route(path: string, handler: () => ServerReply | Promise<ServerReply>): Route {
  const methods = ["GET", "HEAD"];
  return { path, errors: "message", handlers: new Map(methods.map((each) => [each, handler])) };
}
