import { AbortError } from "../../errors/abort-error.js";
import type { WatchRequest } from "../../model/key-request.js";
import type { ResponseOrigin } from "../../model/response.js";
import { abortable } from "../../stream/abortable.js";
import type { Clock } from "../../time/clock.js";
import { Limiter } from "../../time/limiter.js";
import type { Caller } from "./caller.js";

/**
 * Questions that v2 gets at a time. etcd computes for a tenth of a second to check the password of each, and the reads of the
 * gateway itself must not wait for hundreds of them. A question without a response gives its place to the next one.
 */
const QUESTIONS = { places: 4, hold: 2_000 };

/** Shared, because the default reason of an abort creates an exception with a stack each time. */
const NOBODY_WAITS = new Error("no client waits for the permission");

/** A question that several clients may wait for. */
interface Question {
  readonly origin: Promise<ResponseOrigin>;
  readonly leaving: AbortController;
  askers: number;
}

/** Asks v2 whether clients may watch, because their events come from the gateway. Only a watch needs the same permission. */
export class WatchPermissions {
  readonly #limiter: Limiter;
  /**
   * The questions that are not sent yet. Equal ones share one. Nobody joins one that was sent: its response can be from before
   * a change that the client knows.
   */
  readonly #waiting = new Map<string, Question>();

  constructor(clock: Clock) {
    this.#limiter = new Limiter({ ...QUESTIONS, clock });
  }

  /**
   * The state of a member that permits a client to watch.
   *
   * @throws UnauthorizedError, and what v2 responds otherwise; AbortError
   */
  async origin(
    { passed, credentials }: Pick<Caller, "passed" | "credentials">,
    { key, recursive = false }: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<ResponseOrigin> {
    const id = JSON.stringify([credentials, key, recursive]);
    const question = this.#waiting.get(id) ?? this.#ask(id, passed, { key, recursive });
    const errorOf = (reason: unknown): Error => new AbortError(`GET ${key}`, reason, "none");
    question.askers++;
    try {
      return await abortable(question.origin, signal, errorOf);
    } finally {
      if (--question.askers === 0) {
        if (this.#waiting.get(id) === question) this.#waiting.delete(id);
        question.leaving.abort(NOBODY_WAITS);
      }
    }
  }

  #ask(id: string, passed: Caller["passed"], request: WatchRequest): Question {
    const leaving = new AbortController();
    const { signal } = leaving;
    const send = async (): Promise<ResponseOrigin> => {
      if (this.#waiting.get(id) === question) this.#waiting.delete(id);
      signal.throwIfAborted();
      const watch = await passed.openWatch(request, { signal });
      watch.close();
      const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = watch;
      return { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm };
    };
    // Not at once: clients whose requests have arrived together share the first question, too.
    const origin = Promise.resolve().then(() => this.#limiter.run(send, signal));
    origin.catch(() => {});
    const question: Question = { origin, leaving, askers: 0 };
    this.#waiting.set(id, question);
    return question;
  }
}
