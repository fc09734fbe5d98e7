import { AdminError } from "../../errors/admin-error.js";
import { EtcdError } from "../../errors/etcd-error.js";
import type { MembersApi } from "../../key-space/cluster-api.js";
import type { Member } from "../../model/cluster.js";
import { readMemberId } from "../../model/member-id.js";
import { goJson } from "../../wire/go-json.js";
import { checkedAfterBody } from "../http/checked-after-body.js";
import { type ClientUrls, withClientUrls } from "../http/client-urls.js";
import {
  JSON_TYPE,
  messageError,
  plainError,
  type ServerReply,
  type ServerRequest,
} from "../http/message.js";
import { messageErrorOf, RequestError } from "../http/request-error.js";
import type { Route } from "../http/router.js";
import { readPeerUrlsBody } from "./peer-urls-body.js";

export interface MembersRouteOptions {
  readonly members: MembersApi;
  readonly clientUrls: ClientUrls;
  /** The value of `X-Etcd-Cluster-Id`. */
  clusterId(): Promise<string>;
  /** Whether a request comes from user root; true while auth is off. */
  isRoot(request: ServerRequest): Promise<boolean>;
}

const METHODS = "GET,POST,DELETE,PUT";
/** etcd sends no `Allow` here, because other methods are valid for the path. */
const ID_IS_MISSING = plainError(405, "Method Not Allowed");
const DONE: ServerReply = { status: 204, headers: [], body: "" };

/** Serves `/v2/members` and the paths below it. */
export function membersRoutes(options: MembersRouteOptions): readonly Route[] {
  const route = new MembersRoute(options);
  return ["/v2/members", "/v2/members/"].map((path) => ({
    path,
    methods: METHODS,
    serve: (request, rest) => route.serve(request, rest),
  }));
}

class MembersRoute {
  readonly #members: MembersApi;
  readonly #options: MembersRouteOptions;

  constructor(options: MembersRouteOptions) {
    this.#members = options.members;
    this.#options = options;
  }

  async serve(request: ServerRequest, rest: string): Promise<ServerReply> {
    if (request.method !== "GET" && !(await this.#options.isRoot(request))) {
      return messageError(401, "Insufficient credentials");
    }
    const reply = await this.#respond(this.#checked(request), rest).catch(messageErrorOf);
    const clusterId = ["X-Etcd-Cluster-Id", await this.#options.clusterId()];
    return { ...reply, headers: [...reply.headers, ...clusterId] };
  }

  #checked(request: ServerRequest): ServerRequest {
    return checkedAfterBody(request, async () => {
      if (await this.#options.isRoot(request)) return;
      throw new RequestError(401, "Insufficient credentials");
    });
  }

  async #respond(request: ServerRequest, rest: string): Promise<ServerReply> {
    switch (request.method) {
      case "GET":
        return this.#read(rest, this.#options.clientUrls(request));
      case "POST":
        return replyWith(201, shown(await this.#members.add(await readPeerUrlsBody(request))));
      case "PUT":
        return this.#change(rest, async (id) =>
          this.#members.update(id, await readPeerUrlsBody(request)),
        );
      default:
        return this.#change(rest, (id) => this.#members.remove(id));
    }
  }

  async #read(rest: string, urls: readonly string[] | undefined): Promise<ServerReply> {
    if (rest === "leader") return this.#leader(urls);
    if (rest !== "") return messageError(404, "Not found");
    const members = await this.#members.list();
    return replyWith(200, { members: members.map((member) => shown(member, urls)) });
  }

  async #leader(urls: readonly string[] | undefined): Promise<ServerReply> {
    try {
      return replyWith(200, shown(await this.#members.leader(), urls));
    } catch (error) {
      if (error instanceof AdminError || !(error instanceof EtcdError)) throw error;
      return messageError(503, "During election");
    }
  }

  async #change(rest: string, change: (id: string) => Promise<void>): Promise<ServerReply> {
    if (rest === "") return ID_IS_MISSING;
    const id = readMemberId(rest);
    if (id === undefined) throw new RequestError(404, `No such member: ${rest}`);
    await change(id);
    return DONE;
  }
}

function replyWith(status: number, content: object): ServerReply {
  return { status, headers: ["Content-Type", JSON_TYPE], body: `${goJson(content)}\n` };
}

/** A member with these client URLs, and its properties in etcd's order. */
function shown(member: Member, urls?: readonly string[]): Member {
  const { id, name, peerURLs, clientURLs } = withClientUrls(member, urls);
  return { id, name, peerURLs, clientURLs };
}
