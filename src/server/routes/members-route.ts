import { AdminError } from "../../errors/admin-error.js";
import { EtcdError } from "../../errors/etcd-error.js";
import type { MembersApi } from "../../key-space/cluster-api.js";
import type { Member } from "../../model/cluster.js";
import { readMemberId } from "../../model/member-id.js";
import { goJson } from "../../wire/go-json.js";
import { type ClientUrls, withClientUrls } from "../http/client-urls.js";
import { JSON_TYPE, plainError, type ServerReply } from "../http/message.js";
import { RequestError } from "../http/request-error.js";
import { type IsRoot, rootOnly } from "../http/root-only.js";
import type { Handler, Route } from "../http/router.js";
import { withClusterId } from "../http/with-cluster-id.js";
import { readPeerUrlsBody } from "./peer-urls-body.js";

export interface MembersRouteOptions {
  readonly members: MembersApi;
  readonly clientUrls: ClientUrls;
  /** The value of `X-Etcd-Cluster-Id`. */
  clusterId(): Promise<string>;
  readonly isRoot: IsRoot;
}

/** etcd sends no `Allow` here, because other methods are valid for the path. */
const ID_IS_MISSING = plainError(405, "Method Not Allowed");
const DONE: ServerReply = { status: 204, headers: [], body: "" };

/** Serves `/v2/members` and the paths below it. */
export function membersRoute(options: MembersRouteOptions): Route {
  const { members, clientUrls, clusterId, isRoot } = options;
  const open = (handler: Handler): Handler => withClusterId(clusterId, "message", handler);
  const closed = (handler: Handler): Handler => rootOnly(isRoot, open(handler));
  const add: Handler = async (request) =>
    replyWith(201, shown(await members.add(await readPeerUrlsBody(request))));
  const remove: Handler = (_, rest) => change(rest, (id) => members.remove(id));
  const update: Handler = (request, rest) =>
    change(rest, async (id) => members.update(id, await readPeerUrlsBody(request)));
  const handlers = new Map([
    ["GET", readMembers(members, clientUrls, clusterId)],
    ["POST", closed(add)],
    ["DELETE", closed(remove)],
    ["PUT", closed(update)],
  ]);
  return { path: "/v2/members/**", errors: "message", handlers };
}

/** Lists the members, and shows the leader. */
export function readMembers(
  members: MembersApi,
  clientUrls: ClientUrls,
  clusterId: () => Promise<string>,
): Handler {
  return withClusterId(clusterId, "message", (request, rest) =>
    read(members, rest, clientUrls(request)),
  );
}

async function read(
  members: MembersApi,
  rest: string,
  urls: readonly string[] | undefined,
): Promise<ServerReply> {
  if (rest === "/leader") return leader(members, urls);
  if (rest !== "" && rest !== "/") throw new RequestError(404, "Not found");
  const all = await members.list();
  return replyWith(200, { members: all.map((member) => shown(member, urls)) });
}

async function leader(
  members: MembersApi,
  urls: readonly string[] | undefined,
): Promise<ServerReply> {
  try {
    return replyWith(200, shown(await members.leader(), urls));
  } catch (error) {
    if (error instanceof AdminError || !(error instanceof EtcdError)) throw error;
    throw new RequestError(503, "During election");
  }
}

async function change(rest: string, apply: (id: string) => Promise<void>): Promise<ServerReply> {
  const text = rest.slice(1);
  if (text === "") return ID_IS_MISSING;
  const id = readMemberId(text);
  if (id === undefined) throw new RequestError(404, `No such member: ${text}`);
  await apply(id);
  return DONE;
}

function replyWith(status: number, content: object): ServerReply {
  return { status, headers: ["Content-Type", JSON_TYPE], body: `${goJson(content)}\n` };
}

/** A member with these client URLs, and its properties in etcd's order. */
function shown(member: Member, urls?: readonly string[]): Member {
  const { id, name, peerURLs, clientURLs } = withClientUrls(member, urls);
  return { id, name, peerURLs, clientURLs };
}
