import { setTimeout as delay } from "node:timers/promises";
import type { WatchRequest } from "../../src/model/key-request.js";
import { askedOfEtcd, eventsOfEtcd, passesNode } from "./deviations.js";
import type { Reply } from "./http-pipe.js";
import { bodyDifference, difference, headDifference } from "./normalise.js";
import { type Call, meaningOf, type RawRequest, resolve, type Sequence } from "./request.js";
import type { Pair, Server } from "./servers.js";
import { show, showReplies } from "./show.js";

/** The two servers did not answer the same. */
export class Difference extends Error {}

interface Answered {
  readonly request: RawRequest;
  readonly etcd: Reply | Promise<Reply>;
  readonly ours: Reply;
}

interface Watched extends Answered {
  readonly etcd: Reply;
  readonly watch: WatchRequest;
  readonly fromHistory: boolean;
}

/** Milliseconds after which an answer counts as missing. */
const PATIENCE = 60_000;
/** The first node in an answer. */
const NODE = /"node":\{"key":"([^"]+)".*?"modifiedIndex":(\d+)/;
/** More indexes than a watch of the future looks ahead. */
const FUTURE = 8;

/** Runs sequences one after the other on the same pair. */
export class Runner {
  readonly #pair: Pair;
  readonly #note: (request: RawRequest, reply: Reply) => void;
  #log: string[] = [];
  #answers: Answered[] = [];
  #watches: Watched[] = [];
  #sockets = false;
  readonly #modifiedIndexes = new Map<string, number>();
  #sequences = 0;

  /** `note` is told of every request and of etcd's answer to it. */
  constructor(pair: Pair, note: (request: RawRequest, reply: Reply) => void) {
    this.#pair = pair;
    this.#note = note;
  }

  /** @throws Difference with the requests that led to it */
  async run({ root, sockets, steps }: Sequence): Promise<void> {
    const directory = root ? "" : `/f${++this.#sequences}`;
    this.#sockets = sockets;
    this.#log = [];
    this.#answers = [];
    this.#watches = [];
    this.#modifiedIndexes.clear();
    await this.#pair.align?.();
    try {
      for (const step of steps) {
        if (step.kind === "settle") await this.#settle();
        else await this.#send(step, directory);
      }
      await this.#compareAnswers();
      await this.#endWatches(directory);
      await this.#clear(directory);
      await this.#compareAnswers();
    } finally {
      for (const { etcd, ours } of this.#watches) {
        etcd.cancel();
        ours.cancel();
      }
    }
  }

  async #send(call: Call, directory: string): Promise<void> {
    const bearings = {
      directory,
      index: this.#pair.index(),
      modifiedIndexes: this.#modifiedIndexes,
    };
    const request = resolve(call, bearings);
    if ((await this.#pair.takes?.(request)) === false) return;
    const meaning = meaningOf(request);
    this.#log.push(show(request));
    if (meaning?.kind === "watch") return this.#watch(request, meaning.request);
    const ours = await this.#inTime(this.#ours(request).call(request));
    this.#answers.push({ request, ours, etcd: this.#pair.etcd.call(request) });
    const [, key, index] = NODE.exec(ours.body) ?? [];
    if (key !== undefined) this.#modifiedIndexes.set(key, Number(index));
  }

  #ours(request: RawRequest): Server {
    return this.#bySocket(request) ? this.#pair.oursBySocket : this.#pair.ours;
  }

  get #created(): boolean {
    return this.#pair.createdIndexSurvives !== true;
  }

  #bySocket(request: RawRequest): boolean {
    return this.#sockets && passesNode(request);
  }

  async #watch(request: RawRequest, watch: WatchRequest): Promise<void> {
    await this.#compareAnswers();
    const history = this.#pair.history();
    const now = this.#pair.index();
    const ours = await this.#inTime(this.#ours(request).open(request));
    const asked = askedOfEtcd(request, watch, history);
    if (asked.request !== request) this.#log.push(`  (etcd: ${show(asked.request)})`);
    const etcd = await this.#inTime(this.#pair.etcd.open(asked.request));
    const fromHistory = asked.since > 0 && asked.since <= now;
    if (etcd.status !== 200 || ours.status !== 200) this.#answers.push({ request, etcd, ours });
    else this.#watches.push({ request, watch, etcd, ours, fromHistory });
  }

  /** Compares what was answered meanwhile. etcd answers while we go on, and that is fast. */
  async #compareAnswers(): Promise<void> {
    for (const { request, etcd: answer, ours } of this.#answers.splice(0)) {
      const etcd = await this.#inTime(Promise.resolve(answer));
      this.#note(request, etcd);
      const framing = this.#bySocket(request);
      const what = difference(etcd, ours, {
        unsorted: !isSorted(request),
        framing,
        created: this.#created,
      });
      if (what !== undefined) this.#fail(what, request, etcd, ours);
    }
  }

  /** Gives every open watch an event that it cannot miss, and compares what they were told. */
  async #endWatches(directory: string): Promise<void> {
    if (this.#watches.length === 0) return;
    await this.#clear(directory);
    for (let count = 0; count < FUTURE; count++) await this.#put(`${directory}/filler`);
    for (const { watch } of this.#watches) {
      await this.#clear(directory);
      if (watch.key !== "/") await this.#put(watch.key.replace(/\/$/, ""));
    }
    await this.#compareAnswers();
    for (const watched of this.#watches) await this.#compareWatch(watched);
  }

  async #compareWatch({ request, watch, etcd, ours, fromHistory }: Watched): Promise<void> {
    const cut = watch.stream && fromHistory ? 1 : undefined;
    const own = () => (this.#pair.passesEvents ? eventsOfEtcd(ours.lines) : ours.lines);
    const told = () => [eventsOfEtcd(etcd.lines).slice(0, cut), own().slice(0, cut)] as const;
    const isSame = () => {
      const [theirs, mine] = told();
      return theirs.length === mine.length && etcd.ended === ours.ended;
    };
    for (let waited = 0; !isSame() && waited < 1_000; waited++) await delay(waited < 10 ? 0 : 1);
    this.#note(request, etcd);
    const [theirs, mine] = told();
    const different = theirs.findIndex((line, index) =>
      bodyDifference(line, mine[index] ?? "", { unsorted: false, created: this.#created }),
    );
    if (!isSame() || different !== -1) this.#fail("events", request, etcd, ours);
    const heads = headDifference(etcd, ours, {
      framing: this.#bySocket(request),
      created: this.#created,
    });
    if (heads !== undefined) this.#fail(heads, request, etcd, ours);
  }

  #put(path: string): Promise<void> {
    const target = `/v2/keys${encodeURIComponent(path)}?value=end`;
    return this.#send({ kind: "call", method: "PUT", target }, "");
  }

  /** Removes everything, so that the next sequence finds nothing. */
  async #clear(directory: string): Promise<void> {
    for (const path of directory === "" ? await this.#topLevel() : [directory]) {
      const target = `/v2/keys${encodeURIComponent(path)}?recursive=true`;
      await this.#send({ kind: "call", method: "DELETE", target }, "");
    }
  }

  async #topLevel(): Promise<readonly string[]> {
    const { body } = await this.#pair.ours.call({ method: "GET", target: "/v2/keys/?sorted=true" });
    const { node } = JSON.parse(body) as { node: { nodes?: readonly { key: string }[] } };
    return [...(node.nodes ?? []).map(({ key }) => key), "/_h"];
  }

  /** Longer than the short TTLs and etcd's half second between two looks. */
  async #settle(): Promise<void> {
    await this.#compareAnswers();
    this.#log.push("(wait until all short TTLs have run out)");
    await delay(1_050);
    this.#pair.sweep();
    const request = { method: "GET", target: "/v2/keys/never" };
    for (let waited = 0; waited < 100; waited++) {
      const { headers } = await this.#inTime(this.#pair.etcd.call(request));
      if (Number(headers.get("x-etcd-index")) >= this.#pair.index()) return;
      await delay(20);
    }
  }

  async #inTime(reply: Promise<Reply>): Promise<Reply> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.#difference("no answer")), PATIENCE);
    });
    return Promise.race([reply, late]).finally(() => clearTimeout(timer));
  }

  #fail(what: string, request: RawRequest, etcd: Reply, ours: Reply): never {
    throw this.#difference(`${what}\nat    ${show(request)}\n${showReplies(etcd, ours)}`);
  }

  #difference(what: string): Difference {
    return new Difference(`${what}\nThe requests were\n${this.#log.join("\n")}`);
  }
}

function isSorted(request: RawRequest): boolean {
  const meaning = meaningOf(request);
  return meaning?.kind === "call" && "sorted" in meaning.request && meaning.request.sorted === true;
}
