/**
 * A model of the return of gateways from v3 to the v2 cluster, and of the next switch to v3, with everything that can happen
 * between two steps: requests and copies arrive late, gateways and coordinators stop at any time, members of a cluster are
 * behind, and anybody may abort.
 *
 * A coordinator copies v3 to v2 while gateways serve from v3 (`target`). It lets them hold (`returning`), reads the index at
 * which v3 ends for them, copies what is missing, and decides: `returned`, or `target` again. A gateway needs no registration to
 * serve in these two phases. v2 cannot refuse a copy that arrives late. The next switch is modelled as far as its gateways and
 * indexes matter: `model.ts` has the rest of it. A copy is the whole store; TTLs and watches are not part of the model.
 */

import {
  type Exploration,
  explore,
  one,
  type Step as StepOf,
  stepsOfCoordinator,
} from "./explore.js";

/** Each rule prevents a fault, which appears when the rule is not followed. */
export interface Rules {
  /** A response counts only if the gateway may serve when it has it, or up to the end of the cluster. */
  readonly judgesResponses: boolean;
  /** A gateway whose registration is not certain reads the state after a response of v3. */
  readonly confirms: boolean;
  /** A gateway that has missed a switch does not compare an index with the end of another cluster. */
  readonly countsSwitches: boolean;
  /** A write whose outcome is unknown is not sent again. */
  readonly sendsOnce: boolean;
  /** The end of v3 is read when every registered gateway has acknowledged that it holds. */
  readonly waitsForGateways: boolean;
  /** It is not read before that. */
  readonly readsEndLast: boolean;
  /** The decision compares the revision of the state. */
  readonly comparesState: boolean;
  /** While one process returns to v2, no other one does. */
  readonly returnsAlone: boolean;
  /** After one that has ended without knowing whether its copies have arrived, the next one waits until none can. */
  readonly waitsForLateCopies: boolean;
  /** After a copy without a response, nothing more is copied. */
  readonly stopsWhenUncertain: boolean;
  /** The index of v2 is raised above the end of v3. */
  readonly raisesIndex: boolean;
  /** A read without quorum of a member of v2 that does not have the last copy is repeated with quorum. */
  readonly repeatsReadsOfV2: boolean;
  /** Such a member is known by the index of v2 at the return, not by the end of v3. */
  readonly knowsLastCopy: boolean;
  /** After the next switch, the same is true for members of v3. */
  readonly repeatsReadsOfV3: boolean;
  /** `arm` waits until all gateways are registered and follow it. */
  readonly armsAll: boolean;
  /** Between `arm` and the switch, a gateway serves nothing when its registration may have expired. */
  readonly needsRegistration: boolean;
}

export const ALL_RULES: Rules = {
  judgesResponses: true,
  confirms: true,
  countsSwitches: true,
  sendsOnce: true,
  waitsForGateways: true,
  readsEndLast: true,
  comparesState: true,
  returnsAlone: true,
  waitsForLateCopies: true,
  stopsWhenUncertain: true,
  raisesIndex: true,
  repeatsReadsOfV2: true,
  knowsLastCopy: true,
  repeatsReadsOfV3: true,
  armsAll: true,
  needsRegistration: true,
};

/** How many of each there are. */
export interface Bounds {
  readonly gateways: number;
  readonly writes: number;
  /** Reads with quorum. */
  readonly reads: number;
  /** Reads without it, of members that may be behind. */
  readonly localReads: number;
  /** Attempts to return. */
  readonly attempts: number;
  /** Copies of an attempt before gateways hold. */
  readonly copies: number;
  /** How often a gateway cannot renew its registration in time. */
  readonly lapses: number;
  /** Switches before the start: 0 on v2, 1 on v3. */
  readonly from: 0 | 1;
  /** Switches at the end: 2 for the return, 3 for the next switch to v3. */
  readonly to: 2 | 3;
}

type Side = "v2" | "v3";

/** The record on v3 that decides, changed by compare-and-swap alone. */
interface StateRecord {
  phase: "target" | "returning" | "returned" | "arming" | "armed" | "holding";
  revision: number;
  /** Index of the cluster that has served before, up to which its changes count. */
  end: number;
  /** Index from which on a member of the cluster that serves has everything that was copied. */
  copied: number;
  switches: number;
}

interface Gateway {
  /** The state as it was last read; `null`: not known. */
  view: StateRecord | null;
  /** `begun`: etcd has it, and the gateway has not read the state since; `doubtful`: etcd may remove it at any time. */
  registration: "none" | "begun" | "sure" | "doubtful";
  /** Revision of the state that it follows, as its registration says. */
  acknowledged: number;
  lapses: number;
}

interface Store {
  index: number;
  /** The writes that it contains. Their values do not matter. */
  content: number[];
}

interface Request {
  kind: "write" | "read" | "local read";
  /** `new`: certainly not processed; `answered`: the gateway has the response; the others are responses to the client. */
  at: "new" | "sent" | "answered" | "done" | "unknown";
  gateway: number;
  /** When it was sent. */
  side: Side;
  /** As its gateway knew them when it was sent. */
  switches: number;
  /** That of the response. */
  index: number;
  /** Whether it is a read without a write that had to be in it. */
  isStale: boolean;
}

interface Attempt {
  to: Side;
  step: "copy" | "acknowledge" | "copy the rest" | "decide" | "over";
  /** Of the state that it compares. */
  revision: number;
  end: number;
  /** What the cluster contains up to its end. */
  content: number[];
  copies: number;
  /** Whether it waits for the response to a copy. */
  isWaiting: boolean;
}

/** Plain data: its JSON identifies it. */
interface State {
  record: StateRecord;
  v2: Store;
  v3: Store;
  /** A member of each cluster that is behind. */
  behind: Record<Side, Store>;
  /** Writes of gateways on their way. */
  packets: { request: number; to: Side }[];
  /** On their way to v2. */
  copies: { attempt: number; content: number[] }[];
  gateways: Gateway[];
  requests: Request[];
  attempts: Attempt[];
  /** A violation that only a step shows. */
  fault: string;
}

/** What has happened in one of the states. */
interface Reached {
  returned: boolean;
  /** After an attempt that was aborted or has ended. */
  returnedLater: boolean;
  /** The next switch. */
  target: boolean;
}

/** Visits every state that can be reached, until one violates an invariant. */
export function exploreReturn(
  bounds: Bounds,
  rules: Rules,
): Exploration & { readonly reached: Readonly<Reached> } {
  const reached: Reached = { returned: false, returnedLater: false, target: false };
  const exploration = explore<State>({
    start: initialState(bounds),
    violationIn,
    stepsFrom: (state) => stepsFrom(state, bounds, rules),
    onState: ({ record, attempts }) => {
      const returns = attempts.filter(({ to }) => to === "v2").length;
      reached.returned ||= record.phase === "returned";
      reached.returnedLater ||= record.phase === "returned" && returns > 1;
      reached.target ||= record.switches === 3;
    },
  });
  return { ...exploration, reached };
}

function initialState({ gateways, writes, reads, localReads, lapses, from }: Bounds): State {
  const phase = from === 0 ? "armed" : "target";
  const record: StateRecord = { phase, revision: 1, end: 0, copied: 0, switches: from };
  const started: Gateway = { view: record, registration: "sure", acknowledged: 0, lapses };
  const later: Gateway = { view: null, registration: "none", acknowledged: 0, lapses: 0 };
  const newRequest = (kind: Request["kind"]): Request => ({ ...NEW, kind });
  return {
    record,
    v2: { index: 0, content: [] },
    v3: { index: 1, content: [] },
    behind: { v2: { index: 0, content: [] }, v3: { index: 0, content: [] } },
    packets: [],
    copies: [],
    gateways: Array.from({ length: gateways }, (_, at) => (at === 0 ? started : later)),
    requests: [
      ...Array.from({ length: writes }, () => newRequest("write")),
      ...Array.from({ length: reads }, () => newRequest("read")),
      ...Array.from({ length: localReads }, () => newRequest("local read")),
    ],
    attempts: [],
    fault: "",
  };
}

const NEW: Omit<Request, "kind"> = {
  at: "new",
  gateway: 0,
  side: "v2",
  switches: 0,
  index: 0,
  isStale: false,
};

/** The cluster that serves, or has served before a hold. */
function sideOf({ phase }: StateRecord): Side {
  return phase === "target" || phase === "returning" ? "v3" : "v2";
}

/** Whether a gateway that cannot reach v3 goes on as before. */
function isLasting({ phase }: StateRecord): boolean {
  return phase === "target" || phase === "returned";
}

/** Where a gateway serves from. In `target`, it may have a certain registration, or v3 cannot be reached. */
function servedBy({ view, registration }: Gateway, rules: Rules): StateRecord | undefined {
  if (view === null || view.phase === "returning" || view.phase === "holding") return undefined;
  const isSure = isLasting(view) || registration === "sure" || !rules.needsRegistration;
  return isSure ? view : undefined;
}

function violationIn({ record, requests, fault, ...stores }: State): string | undefined {
  if (fault !== "") return fault;
  const { index, content } = stores[sideOf(record)];
  for (const [at, request] of requests.entries()) {
    if (request.at !== "done") continue;
    if (request.kind !== "write") {
      if (request.isStale) return `a ${request.kind} is without an acknowledged write`;
      continue;
    }
    if (!content.includes(at)) return "an acknowledged write is missing";
    if (request.index > index) return "indexes decrease";
  }
  return new Set(content).size < content.length ? "a write is carried out twice" : undefined;
}

type Step = StepOf<State>;

function* stepsFrom(state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  for (const at of state.requests.keys()) yield* stepsOfRequest(at, state, rules);
  yield* stepsOfClusters(state);
  for (const at of state.gateways.keys()) yield* stepsOfGateway(at, state);
  yield* stepsOfState(state, bounds, rules);
  for (const [at, { to }] of state.attempts.entries()) {
    yield* to === "v2" ? stepsOfReturn(at, state, bounds, rules) : stepsOfSwitch(at, state);
  }
}

function* stepsOfRequest(at: number, state: State, rules: Rules): Generator<Step> {
  const request = one(state.requests, at);
  const { kind, gateway } = request;
  const become = (label: string, after: Request): Step => [
    `gateway ${gateway}: ${kind} ${at} ${label}`,
    ({ requests }) => {
      requests[at] = after;
    },
  ];
  if (request.at === "new") {
    for (const [gateway, each] of state.gateways.entries()) {
      const view = servedBy(each, rules);
      if (view !== undefined) yield* sent(at, { ...request, gateway }, view, state);
    }
  }
  if (request.at === "sent")
    yield become(
      "has no response",
      rules.sendsOnce ? unknown(kind) : { ...NEW, kind, side: request.side },
    );
  if (request.at === "answered") {
    const result = judged(request, state, rules);
    if (result === "reads the state") {
      yield [
        `gateway ${gateway}: reads the state after a response`,
        (next) => {
          one(next.gateways, gateway).view = next.record;
        },
      ];
    } else if (result !== undefined) yield become(`is ${result.at}`, result);
  }
}

function* sent(at: number, from: Request, view: StateRecord, state: State): Generator<Step> {
  const { kind, gateway } = from;
  const { switches } = view;
  const side = sideOf(view);
  const label = `gateway ${gateway}: ${kind} ${at} to ${side}`;
  if (kind === "write") {
    // Without this, a model that sends writes again would have no end.
    const isOnWay = state.packets.some(({ request, to }) => request === at && to === side);
    if (isOnWay || (from.side === side && state[side].content.includes(at))) return;
    yield [
      label,
      ({ requests, packets }) => {
        requests[at] = { ...from, at: "sent", side, switches };
        packets.push({ request: at, to: side });
      },
    ];
    return;
  }
  const isLocal = kind === "local read";
  const { index, content } = isLocal ? state.behind[side] : state[side];
  // A member that is behind need not have what was written since the switch.
  const isStale = state.requests.some(
    (each, write) =>
      each.kind === "write" &&
      each.at === "done" &&
      (!isLocal || each.switches < switches) &&
      !content.includes(write),
  );
  yield [
    label,
    ({ requests }) => {
      requests[at] = { ...from, at: "answered", side, switches, index, isStale };
    },
  ];
}

function unknown(kind: Request["kind"]): Request {
  return { ...NEW, kind, at: "unknown" };
}

/** What becomes of a request that has a response; `undefined`: it waits. */
function judged(
  request: Request,
  { record, gateways }: State,
  rules: Rules,
): Request | "reads the state" | undefined {
  const { kind, side, switches, index } = request;
  const done: Request = { ...request, at: "done", gateway: 0 };
  if (!rules.judgesResponses) return done;
  const gateway = one(gateways, request.gateway);
  const { view, registration } = gateway;
  const isConfirmed = kind === "local read" || registration === "sure" || !rules.confirms;
  if (side === "v3" && view?.phase === "target" && !isConfirmed) {
    const isSame = record.phase === "target" && record.switches === view.switches;
    if (!isSame) return "reads the state";
  }
  const now = servedBy(gateway, rules);
  if (now === undefined) return undefined;
  const since = now.switches - switches;
  if (since === 0) {
    const isCurrent = kind !== "local read" || index >= firstIndex(now, rules);
    return isCurrent ? done : { ...NEW, kind: "read" };
  }
  if (kind !== "write") return { ...NEW, kind };
  const end = since === 1 || !rules.countsSwitches ? now.end : 0;
  return index <= end ? done : unknown(kind);
}

/** Index from which on a member is not behind. */
function firstIndex(view: StateRecord, rules: Rules): number {
  if (sideOf(view) === "v3") return rules.repeatsReadsOfV3 ? view.copied : 0;
  if (!rules.repeatsReadsOfV2) return 0;
  return rules.knowsLastCopy ? view.copied : view.end + 1;
}

function* stepsOfClusters(state: State): Generator<Step> {
  for (const [at, { request, to }] of state.packets.entries()) {
    yield [
      `${to} carries out write ${request}`,
      ({ packets, requests, ...stores }) => {
        packets.splice(at, 1);
        stores[to].content.push(request);
        const index = ++stores[to].index;
        const sent = one(requests, request);
        if (sent.at === "sent" && sent.side === to) Object.assign(sent, { at: "answered", index });
      },
    ];
  }
  for (const [at, { attempt, content }] of state.copies.entries()) {
    yield [
      `v2 takes a copy of coordinator ${attempt}`,
      ({ copies, v2, ...next }) => {
        copies.splice(at, 1);
        const isLate = sideOf(state.record) === "v2" && !isEqual(content, v2.content);
        if (isLate) next.fault = "a late copy overwrites newer data";
        v2.content = content;
        v2.index++;
        if (!copies.some((each) => each.attempt === attempt))
          one(next.attempts, attempt).isWaiting = false;
      },
    ];
  }
  const isRead = state.requests.some(({ kind, at }) => kind === "local read" && at === "new");
  if (!isRead) return;
  for (const side of ["v2", "v3"] as const) {
    if (state.behind[side].index === state[side].index) continue;
    yield [
      `a member of ${side} catches up`,
      (next) => {
        next.behind[side] = next[side];
      },
    ];
  }
}

function isEqual(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((each) => others.includes(each));
}

function* stepsOfGateway(at: number, { gateways, record }: State): Generator<Step> {
  const { view, registration, acknowledged, lapses } = one(gateways, at);
  const change = (label: string, properties: Partial<Gateway>): Step => [
    `gateway ${at} ${label}`,
    ({ gateways }) => void Object.assign(one(gateways, at), properties),
  ];
  if (view !== null && view.revision !== record.revision) {
    // Gateways that need no registration have not waited for one.
    const isUncertain = view.phase === "returned" && registration !== "sure";
    yield change("sees a new state", { view: isUncertain ? null : record });
  }
  if (registration === "sure") {
    const isAwaited = view !== null && !isLasting(view);
    if (isAwaited && acknowledged !== view.revision)
      yield change(`acknowledges ${view.phase}`, { acknowledged: view.revision });
    if (lapses > 0)
      yield change("may have lost its registration", {
        registration: "doubtful",
        lapses: lapses - 1,
      });
    return;
  }
  if (registration !== "none")
    yield change("loses its registration", { registration: "none", acknowledged: 0 });
  if (registration === "begun") {
    yield change("reads the state", { registration: "sure", view: record });
  } else {
    const isKept = view !== null && isLasting(view);
    const known = { view: isKept ? view : null, acknowledged: 0 };
    yield change("registers", { registration: "begun", ...known });
  }
}

/** Changes of the state by a new attempt, or without one. */
function* stepsOfState(state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  const { record, attempts, gateways, copies } = state;
  const returns = attempts.filter(({ to }) => to === "v2");
  const isAlone = returns.every(({ step }) => step === "over") || !rules.returnsAlone;
  // Copies of one that runs do not matter here.
  const isLate = copies.some(({ attempt }) => one(attempts, attempt).step === "over");
  const canBegin = isAlone && (!isLate || !rules.waitsForLateCopies);
  const isPermitted = returns.length < bounds.attempts && record.switches < bounds.to;
  if (record.phase === "target" && isPermitted && canBegin)
    yield [
      `coordinator ${attempts.length} begins`,
      (next) => {
        const { revision } = next.record;
        next.attempts.push({ ...OVER, to: "v2", step: "copy", revision });
      },
    ];
  if (record.phase === "returning")
    yield ["anybody: abort", (next) => become(next, { phase: "target" })];
  if (record.switches + 1 > bounds.to) return;
  const isRegistered = ({ registration }: Gateway): boolean => registration !== "none";
  if (record.phase === "returned" && (gateways.every(isRegistered) || !rules.armsAll))
    yield ["arm", (next) => become(next, { phase: "arming" })];
  const follows = (each: Gateway): boolean =>
    isRegistered(each) && each.acknowledged === record.revision;
  if (record.phase === "arming" && (gateways.every(follows) || !rules.armsAll))
    yield ["arm: all gateways follow", (next) => become(next, { phase: "armed" })];
  if (record.phase === "armed")
    yield [
      `coordinator ${attempts.length} begins: hold`,
      (next) => {
        become(next, { phase: "holding" });
        const { revision } = next.record;
        next.attempts.push({ ...OVER, to: "v3", step: "acknowledge", revision });
      },
    ];
}

const OVER: Omit<Attempt, "to"> = {
  step: "over",
  revision: 0,
  end: 0,
  content: [],
  copies: 0,
  isWaiting: false,
};

/** Writes the state on v3. */
function become(next: State, properties: Partial<StateRecord>): void {
  next.record = { ...next.record, ...properties, revision: ++next.v3.index };
}

function haveAcknowledged({ gateways }: State, revision: number): boolean {
  return gateways.every(
    ({ registration, acknowledged }) => registration === "none" || acknowledged === revision,
  );
}

function* stepsOfReturn(at: number, state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  const attempt = one(state.attempts, at);
  const { record, v2, v3 } = state;
  if (attempt.step === "over") return;
  const step = stepsOfCoordinator<State>(at);
  const copy = (content: number[], properties: Partial<Attempt>): Step =>
    step("sends a copy", { ...properties, isWaiting: true }, ({ copies }) => {
      copies.push({ attempt: at, content });
    });
  const end = { end: v3.index, content: v3.content };
  yield step("is killed", OVER);
  if (attempt.isWaiting) {
    // With the rule, it ends.
    if (!rules.stopsWhenUncertain) yield step("goes on without a response", { isWaiting: false });
    return;
  }
  const isDecided = record.revision !== attempt.revision;
  if (attempt.step === "copy") {
    const { copies } = attempt;
    if (copies < bounds.copies && !isEqual(v2.content, v3.content))
      yield copy(v3.content, { copies: copies + 1 });
    if (!isDecided)
      yield step("hold", { step: "acknowledge", copies: 0 }, (next) => {
        become(next, { phase: "returning" });
        const { revision } = next.record;
        Object.assign(one(next.attempts, at), { revision }, rules.readsEndLast ? {} : end);
      });
  }
  if (attempt.step === "acknowledge") {
    if (rules.waitsForGateways && !haveAcknowledged(state, attempt.revision)) return;
    const known = rules.readsEndLast ? end : {};
    const label = "reads the end of v3, and raises the index of v2";
    yield step(label, { step: "copy the rest", ...known }, (next) => {
      const { end } = one(next.attempts, at);
      if (rules.raisesIndex) next.v2.index = Math.max(next.v2.index, end + 1);
    });
  }
  if (attempt.step === "copy the rest") yield copy(attempt.content, { step: "decide" });
  if (attempt.step === "decide" && (!isDecided || !rules.comparesState)) {
    yield step("returns", OVER, (next) => {
      const { end, content } = attempt;
      const switches = record.switches + 1;
      if (v3.content.some((write) => v2.content.includes(write) !== content.includes(write)))
        next.fault = "v2 is not what v3 was at its end";
      become(next, { phase: "returned", end, copied: v2.index, switches });
    });
  }
}

/** The next switch. Nothing is copied to v3 after its decision: a copy compares the revision of the state. */
function* stepsOfSwitch(at: number, state: State): Generator<Step> {
  const attempt = one(state.attempts, at);
  const { record, v2 } = state;
  if (record.revision !== attempt.revision) return;
  if (attempt.step === "acknowledge" && haveAcknowledged(state, attempt.revision))
    yield [
      `coordinator ${at}: reads the end of v2`,
      ({ attempts }) => {
        const known = { end: v2.index, content: v2.content };
        Object.assign(one(attempts, at), { step: "decide", ...known });
      },
    ];
  if (attempt.step === "decide")
    yield [
      `coordinator ${at}: copies v2 up to its end, and switches`,
      (next) => {
        const { end, content } = attempt;
        next.v3 = { content, index: Math.max(next.v3.index, end) + 1 };
        const switches = record.switches + 1;
        become(next, { phase: "target", end, switches });
        next.record.copied = next.record.revision;
        Object.assign(one(next.attempts, at), OVER);
      },
    ];
}
