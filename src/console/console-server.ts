import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EtcdServerError } from "../errors/server-error.js";
import { CutoverRuns, type CutoverSourceOptions } from "./cutover/cutover-runs.js";
import { ConsoleError, failureOf, optionalText, readJson, sendJson } from "./http/json-exchange.js";
import { PageFiles, SECURITY_HEADERS } from "./http/page-files.js";
import { RequestGuard } from "./http/request-guard.js";
import { type ClusterAccess, type Session, Sessions } from "./http/sessions.js";
import type { SessionInfo } from "./model/page-types.js";
import { showCluster } from "./routes/cluster-route.js";
import { cutoverRoutes } from "./routes/cutover-route.js";
import { streamEvents } from "./routes/events-route.js";
import { showHistory } from "./routes/history-route.js";
import { listRemovals, showPastDirectory } from "./routes/past-routes.js";
import { listChildren, showKey } from "./routes/read-routes.js";
import { showRecipe } from "./routes/recipe-route.js";
import { findRecipes } from "./routes/recipes-route.js";
import { recover } from "./routes/recover-route.js";
import { costly, type Route, reading, writing } from "./routes/route.js";
import { search } from "./routes/search-route.js";
import { createDirectory, removeKey, saveKey } from "./routes/write-routes.js";

const API = "/api/";

const ROUTES: Readonly<Record<string, Route>> = {
  children: reading(listChildren),
  key: reading(showKey),
  search: reading(search),
  events: reading(streamEvents),
  cluster: reading(showCluster),
  recipe: reading(showRecipe),
  recipes: costly(reading(findRecipes)),
  history: costly(reading(showHistory)),
  removals: costly(reading(listRemovals)),
  past: costly(reading(showPastDirectory)),
  save: writing(saveKey),
  directory: writing(createDirectory),
  remove: writing(removeKey),
  recover: costly(writing(recover)),
};

export interface ConsoleOptions extends ClusterAccess {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Whether keys can be changed. @default false */
  readonly write?: boolean;
  /** Names, without ports, of this console besides IP addresses and localhost. */
  readonly allowedHosts?: readonly string[];
  readonly version: string;
  /** The v2 cluster of a cut-over to this v3 cluster, which pages can then carry out. */
  readonly source?: CutoverSourceOptions;
  /** Folder with the page. Default: that of the package. */
  readonly page?: URL;
}

/** The web console: the page, and the API between it and a cluster. */
export class ConsoleServer {
  readonly #options: ConsoleOptions;
  readonly #sessions: Sessions;
  readonly #runs: CutoverRuns;
  readonly #routes: Readonly<Record<string, Route>>;
  readonly #files: PageFiles;
  readonly #guard: RequestGuard;
  readonly #server: Server;

  private constructor(options: ConsoleOptions) {
    this.#options = options;
    this.#files = new PageFiles(options.page);
    this.#runs = new CutoverRuns(options.source);
    this.#routes = { ...ROUTES, ...cutoverRoutes(this.#runs) };
    this.#sessions = new Sessions(options, options.source?.options);
    this.#guard = new RequestGuard([options.host, ...(options.allowedHosts ?? [])]);
    this.#server = createServer((message, response) => void this.#serve(message, response));
  }

  /** Resolves when it listens. @throws Error when the port is in use, or the page is missing */
  static async start(options: ConsoleOptions): Promise<ConsoleServer> {
    const console = new ConsoleServer(options);
    try {
      await new Promise<void>((resolve, reject) => {
        console.#server.once("error", reject).listen(options.port, options.host, resolve);
      });
    } catch (error) {
      await console.#sessions.close();
      throw error;
    }
    return console;
  }

  /** URL of the page, without the access key. */
  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}/`;
  }

  /** URL to open. The part after # is not sent to any server. */
  get urlWithAccess(): string {
    const { accessKey } = this.#sessions;
    return accessKey === undefined ? this.url : `${this.url}#access=${accessKey}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.#runs.close();
    await this.#sessions.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    try {
      await this.#route(message, response);
    } catch (error) {
      sendJson(response, statusOf(error), failureOf(error));
    }
  }

  async #route(message: IncomingMessage, response: ServerResponse): Promise<void> {
    // The first slash of "//host" must not begin a host name.
    const { pathname: path, searchParams: query } = new URL(`http://console${message.url}`);
    const isApi = path.startsWith(API);
    const refusal = this.#guard.refusal(message, isApi);
    if (refusal !== undefined) throw new ConsoleError(refusal.status, refusal.message);
    if (!isApi) {
      if (message.method !== "GET" || !this.#files.send(path, response)) {
        throw new ConsoleError(404, "there is no such page");
      }
      return;
    }
    const name = path.slice(API.length);
    if (name === "session") return await this.#session(message, response);
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    if (route === undefined) throw new ConsoleError(404, "there is no such request");
    if (message.method !== route.method) throw new ConsoleError(405, `use ${route.method}`);
    const session = this.#sessions.find(tokenOf(message));
    if (route.writes && !this.#options.write) {
      throw new ConsoleError(
        403,
        "this console is read-only; start it with --write to change keys",
      );
    }
    const signal = AbortSignal.any([session.ended, untilClosed(response)]);
    const answer = await route.handle({ session, query, message, response, signal });
    if (!response.writableEnded) sendJson(response, 200, answer);
  }

  /** Begins a session, or ends it. */
  async #session(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (message.method === "DELETE") {
      this.#sessions.end(this.#sessions.find(tokenOf(message)));
      return sendJson(response, 200, {});
    }
    if (message.method === "GET") {
      return sendJson(response, 200, this.#infoOf(this.#sessions.find(tokenOf(message))));
    }
    if (message.method !== "POST") throw new ConsoleError(405, "use POST");
    const body = await readJson(message);
    const text = (name: string): string | undefined => optionalText(body, name);
    const isKnown = this.#sessions.has(tokenOf(message));
    const session = this.#sessions.open(
      { username: text("username"), password: text("password"), accessKey: text("accessKey") },
      isKnown,
    );
    try {
      if (session.user !== undefined) await session.checkPassword();
    } catch (error) {
      this.#sessions.end(session);
      throw error;
    }
    sendJson(response, 200, this.#infoOf(session));
  }

  #infoOf({ token, user }: Session): SessionInfo {
    const { version, write = false, options, prefix } = this.#options;
    const { api = "v2" } = options;
    return {
      ...{ token, version, api, writable: write },
      ...(user !== undefined && { user }),
      endpoints: endpointsOf(options),
      ...(prefix !== undefined && { prefix }),
    };
  }
}

function tokenOf({ headers }: IncomingMessage): string | undefined {
  const token = headers["x-etcdnet-session"];
  return typeof token === "string" ? token : undefined;
}

function untilClosed(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => controller.abort());
  return controller.signal;
}

/** Refusals of etcd keep their status. Everything else is a failure between the console and etcd. */
function statusOf(error: unknown): number {
  if (error instanceof ConsoleError) return error.status;
  if (error instanceof EtcdServerError && error.status >= 400) return error.status;
  return error instanceof TypeError ? 400 : 502;
}

function endpointsOf({ urls, endpoints, discoverySrv }: ClusterAccess["options"]) {
  if (discoverySrv !== undefined) return [`SRV records of ${discoverySrv}`];
  return urls ?? (typeof endpoints === "string" ? [endpoints] : (endpoints ?? []));
}
