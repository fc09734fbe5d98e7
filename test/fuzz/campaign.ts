import fc, { type Arbitrary } from "fast-check";
import { expirySequence, sequence } from "./arbitraries.js";
import type { Reply } from "./http-pipe.js";
import { meaningOf, type RawRequest, type Sequence } from "./request.js";
import { Difference, Runner } from "./run.js";
import { type Pair, startPair } from "./servers.js";

export interface CampaignOptions {
  readonly seed: number;
  /** Requests to send, roughly. */
  readonly requests: number;
  /** Sequences with TTLs that run out; each takes more than a second. */
  readonly expiries: number;
  /** Starts the servers that are compared. @default an etcd 3.4 and our embedded server */
  readonly start?: () => Promise<Pair>;
  /** Where a failure was found: only that is run again. */
  readonly path?: string;
  /** Told how far it has come. */
  readonly progress?: (requests: number) => void;
}

/** What a campaign has seen. */
export interface CampaignResult {
  readonly requests: number;
  readonly sequences: number;
  /** What differed once and not again, in sequences with TTLs that run out. */
  readonly unsteady: readonly string[];
  /** Requests by their kind and what came of them. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** The smallest sequence found on which the two differ, if any. */
  readonly failure: string | undefined;
}

/** A sequence has twice as many on average. */
const LEAST_REQUESTS = 20;

/** Sends random sequences to both servers until enough requests were sent, or they differ. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const campaign = new Campaign(options);
  try {
    return await campaign.run();
  } finally {
    await campaign.stop();
  }
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #outcomes = new Map<string, number>();
  #pair: Pair | undefined;
  #runner: Runner | undefined;
  #requests = 0;
  #sequences = 0;
  readonly #unsteady: string[] = [];

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  async run(): Promise<CampaignResult> {
    const { requests, expiries } = this.#options;
    const failure =
      (await this.#check("expiry/", expirySequence, expiries)) ??
      (await this.#check("any/", sequence, Math.ceil(requests / LEAST_REQUESTS)));
    return {
      requests: this.#requests,
      sequences: this.#sequences,
      unsteady: this.#unsteady,
      outcomes: this.#outcomes,
      failure,
    };
  }

  async stop(): Promise<void> {
    await this.#pair?.stop();
    this.#pair = undefined;
  }

  /** Runs sequences of one kind until there were enough; returns the failure, in words. */
  async #check(
    kind: string,
    arbitrary: Arbitrary<Sequence>,
    numRuns: number,
  ): Promise<string | undefined> {
    const { seed, requests, path = kind } = this.#options;
    if (!path.startsWith(kind)) return undefined;
    const property = fc.asyncProperty(arbitrary, async (each) => {
      if (this.#requests < requests) await this.#runTwiceAtMost(each);
    });
    const { failed, errorInstance, counterexamplePath } = await fc.check(property, {
      seed,
      numRuns,
      ...(path !== kind && { path: path.slice(kind.length) }),
    });
    if (!failed) return undefined;
    return `seed ${seed}, path ${kind}${counterexamplePath}: ${String(errorInstance)}`;
  }

  /** Where something expires, only what differs twice counts: etcd's clock may go on meanwhile. */
  async #runTwiceAtMost(each: Sequence): Promise<void> {
    this.#sequences++;
    try {
      await this.#run(each);
    } catch (error) {
      const expires = each.steps.some(({ kind }) => kind === "settle");
      const mayPart = this.#pair?.align !== undefined || this.#options.start !== undefined;
      if (!(error instanceof Difference) || !(expires || mayPart)) throw error;
      await this.#run(each);
      this.#unsteady.push(error.message);
    }
  }

  async #run(each: Sequence): Promise<void> {
    this.#pair ??= await this.#start();
    try {
      await this.#runner?.run(each);
    } catch (error) {
      // The two may have parted: the next sequence begins with fresh ones.
      await this.stop();
      throw error;
    }
  }

  async #start(): Promise<Pair> {
    const pair = await (this.#options.start ?? startPair)();
    this.#runner = new Runner(pair, (request, reply) => this.#count(request, reply));
    return pair;
  }

  #count(request: RawRequest, reply: Reply): void {
    this.#requests++;
    if (this.#requests % 10_000 === 0) this.#options.progress?.(this.#requests);
    const kind = `${kindOf(request)} ${outcomeOf(reply)}`;
    this.#outcomes.set(kind, (this.#outcomes.get(kind) ?? 0) + 1);
  }
}

function kindOf(request: RawRequest): string {
  const meaning = meaningOf(request);
  if (meaning === undefined) return request.method;
  if (meaning.kind === "call") return `${request.method} ${meaning.request.action}`;
  const { waitIndex, stream } = meaning.request;
  return `${stream ? "stream" : "watch"} ${waitIndex === 0 ? "from now" : "from an index"}`;
}

function outcomeOf({ status, body }: Reply): string {
  const code = /^\{"errorCode":(\d+)/.exec(body)?.[1];
  return code === undefined ? String(status) : `${status}/${code}`;
}
