import type {
  Credentials,
  Failure,
  SessionInfo,
  StreamEvent,
} from "../src/console/model/page-types.js";

const TOKEN_HEADER = "x-etcdnet-session";
/** Each tab has its own session storage: it survives a reload, and ends with the tab. */
const TOKEN_ITEM = "etcdnet-session";

/** A refusal of the console's server, or of etcd behind it. */
export class ApiError extends Error {
  override readonly name: string;
  readonly status: number;

  constructor(status: number, { name, message }: Failure) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Speaks to the server of the console. */
export class Api {
  #token = sessionStorage.getItem(TOKEN_ITEM) ?? "";
  /** Called once for a session that the server does not know any more. */
  onSessionEnd: () => void = () => {};

  /** The session of this tab, if there is one. */
  async currentSession(): Promise<SessionInfo | undefined> {
    if (this.#token === "") return undefined;
    try {
      return (await this.#call("GET", "session")) as SessionInfo;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return undefined;
      throw error;
    }
  }

  async openSession(credentials: Credentials): Promise<SessionInfo> {
    const info = (await this.#call("POST", "session", credentials)) as SessionInfo;
    this.#token = info.token;
    sessionStorage.setItem(TOKEN_ITEM, info.token);
    return info;
  }

  async endSession(): Promise<void> {
    await this.#call("DELETE", "session").catch(() => {});
    this.#token = "";
    sessionStorage.removeItem(TOKEN_ITEM);
  }

  async get<T>(name: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return (await this.#call("GET", pathOf(name, query), undefined, signal)) as T;
  }

  async post<T>(name: string, body: object): Promise<T> {
    return (await this.#call("POST", name, body)) as T;
  }

  /** The lines of an answer, each a JSON text. */
  async *lines<T>(name: string, query: Query, signal: AbortSignal): AsyncGenerator<T> {
    const response = await this.#fetch("GET", pathOf(name, query), undefined, signal);
    for await (const line of linesOf(response)) yield JSON.parse(line);
  }

  /** The lines of an answer to a request that changes something. */
  async *postLines<T>(name: string, body: object, signal: AbortSignal): AsyncGenerator<T> {
    const response = await this.#fetch("POST", name, body, signal);
    for await (const line of linesOf(response)) yield JSON.parse(line);
  }

  /** The events of a stream of Server-Sent Events. */
  async *events(name: string, query: Query, signal: AbortSignal): AsyncGenerator<StreamEvent> {
    const response = await this.#fetch("GET", pathOf(name, query), undefined, signal);
    for await (const line of linesOf(response)) {
      if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
    }
  }

  async #call(method: string, path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    return await (await this.#fetch(method, path, body, signal)).json();
  }

  async #fetch(method: string, path: string, body?: object, signal?: AbortSignal) {
    const token = this.#token;
    const response = await fetch(`api/${path}`, {
      method,
      headers: { [TOKEN_HEADER]: token, "Content-Type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    if (response.ok) return response;
    const failure = await response.json().catch(() => ({}));
    const { name = "Error", message = `status ${response.status}` } = failure;
    const isOfEtcd = name !== "ConsoleError";
    if (response.status === 401 && !isOfEtcd && path !== "session" && token === this.#token) {
      this.#token = "";
      this.onSessionEnd();
    }
    throw new ApiError(response.status, { name, message });
  }
}

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    if (done) return;
    const lines = `${rest}${value}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
}

function pathOf(name: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return search.size === 0 ? name : `${name}?${search}`;
}

/** Whether etcd or the console could not be reached, so that the same request may succeed later. */
export function isOutage(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 502;
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return "The server of the console cannot be reached.";
}
