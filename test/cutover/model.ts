/**
 * A model of the switch of gateways from a v2 cluster to v3, with everything that can happen between two
 * steps: requests reach v2 and copies reach v3 late, gateways and coordinators stop and continue at any time,
 * and anybody may abort.
 *
 * First, gateways pass writes to v2 (`armed`). A coordinator lets them hold writes (`holding`), reads the index
 * at which v2 ends for them, copies what is missing, and decides: `target`, or `armed` again. Values do not
 * matter, so a store is the list of its writes. TTLs and watches are not part of the model, and `return-model.ts` has the
 * way back.
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
  /**
   * A gateway that receives a response of v2 checks again that it may serve, and waits while it holds. After the switch,
   * only writes up to the end of v2 are acknowledged. So a request that reaches v2 late has no effect.
   */
  readonly judgesResponses: boolean;
  /** The coordinator reads the end of v2 after every registered gateway has acknowledged that it holds. */
  readonly waitsForGateways: boolean;
  /** A gateway serves nothing when its registration may have expired. */
  readonly needsRegistration: boolean;
  /** A gateway registers before it reads the state. */
  readonly registersFirst: boolean;
  /** A write whose outcome on v2 is unknown is not sent again. */
  readonly sendsOnce: boolean;
  /** A copy compares the revision of the state record. */
  readonly guardsCopies: boolean;
  /** A copy whose outcome is unknown is made void before another one is sent. */
  readonly voidsCopies: boolean;
}

export const ALL_RULES: Rules = {
  judgesResponses: true,
  waitsForGateways: true,
  needsRegistration: true,
  registersFirst: true,
  sendsOnce: true,
  guardsCopies: true,
  voidsCopies: true,
};

/** How many of each there are. */
export interface Bounds {
  readonly gateways: number;
  readonly writes: number;
  /** Attempts to switch. */
  readonly attempts: number;
  readonly copies: number;
}

/** The record on v3 that decides, changed by compare-and-swap alone. */
interface StateRecord {
  phase: "armed" | "holding" | "target";
  revision: number;
  /** Index of v2 up to which its writes count. */
  end: number;
}

interface Gateway {
  /** The state as it was last read. */
  view: StateRecord | null;
  /** Whether etcd has its registration. */
  registered: boolean;
  /** Whether its own clock says that the registration lasts. */
  isSure: boolean;
  /** Revision of the state record for which it has acknowledged that it holds. */
  holds: number;
  /** Whether it has lost its registration once. */
  hasLapsed: boolean;
}

interface Write {
  /**
   * `held`: at its gateway, and certainly not processed; `v2`: sent to v2; `answered`: v2 has responded; the others
   * are responses to the client.
   */
  at: "new" | "held" | "v2" | "answered" | "done" | "unknown";
  gateway: number;
  /** Its index on v2; 0: none. */
  index: number;
}

interface Attempt {
  step: "read" | "copy" | "switch" | "over";
  revision: number;
  end: number;
}

/** Plain data: its JSON identifies it. */
interface State {
  record: StateRecord;
  /** Writes on their way to v2. */
  packets: number[];
  v2: number[];
  v3: number[];
  /** Copies of another version are void. */
  version: number;
  /** Copies on their way to v3, with what they compare. */
  copies: { content: number[]; revision: number; version: number }[];
  /** Whether the process that copies waits for the outcome of a copy. */
  isCopying: boolean;
  copiesSent: number;
  gateways: Gateway[];
  writes: Write[];
  attempts: Attempt[];
}

/** Whether the switch has succeeded in one of the states, also after an attempt that was aborted. */
interface Reached {
  target: boolean;
  targetAfterAbort: boolean;
}

/** Visits every state that can be reached, until one violates an invariant. */
export function exploreSwitch(
  bounds: Bounds,
  rules: Rules,
): Exploration & { readonly reached: Readonly<Reached> } {
  const reached: Reached = { target: false, targetAfterAbort: false };
  const exploration = explore<State>({
    start: initialState(bounds),
    violationIn: (state) => violationIn(state, rules),
    stepsFrom: (state) => stepsFrom(state, bounds, rules),
    onState: ({ record, attempts }) => {
      if (record.phase !== "target") return;
      reached.target = true;
      reached.targetAfterAbort ||= attempts.length > 1;
    },
  });
  return { ...exploration, reached };
}

function initialState({ gateways, writes }: Bounds): State {
  const record: StateRecord = { phase: "armed", revision: 1, end: 0 };
  const started = { view: record, registered: true, isSure: true, holds: 0, hasLapsed: false };
  const later = { view: null, registered: false, isSure: false, holds: 0, hasLapsed: true };
  return {
    record,
    packets: [],
    v2: [],
    v3: [],
    version: 0,
    copies: [],
    isCopying: false,
    copiesSent: 0,
    gateways: Array.from({ length: gateways }, (_, at) => (at === 0 ? started : later)),
    writes: Array.from({ length: writes }, () => ({ at: "new", gateway: 0, index: 0 })),
    attempts: [],
  };
}

function serves({ view, isSure }: Gateway, { needsRegistration }: Rules): boolean {
  return view !== null && (isSure || !needsRegistration);
}

function violationIn(state: State, rules: Rules): string | undefined {
  const { record, v2, v3, gateways, writes } = state;
  if (record.phase === "target") {
    if (v2.slice(0, record.end).some((write) => !v3.includes(write)))
      return "a write of v2 is missing on v3";
    if (new Set(v3).size < v3.length) return "a write is carried out twice";
  }
  const done = writes.flatMap(({ at }, write) => (at === "done" ? [write] : []));
  for (const [at, gateway] of gateways.entries()) {
    if (!serves(gateway, rules)) continue;
    const { phase } = gateway.view ?? record;
    const shown = phase === "armed" ? v2 : phase === "target" ? v3 : undefined;
    if (shown !== undefined && done.some((write) => !shown.includes(write)))
      return `gateway ${at} serves a read without an acknowledged write`;
  }
  return undefined;
}

type Step = StepOf<State>;

function* stepsFrom(state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  for (const at of state.writes.keys()) yield* stepsOfWrite(at, state, rules);
  yield* stepsOfV2(state);
  for (const at of state.gateways.keys()) yield* stepsOfGateway(at, state, rules);
  yield* stepsOfCopies(state, bounds, rules);
  yield* stepsOfCoordinators(state, bounds, rules);
}

function* stepsOfWrite(write: number, state: State, rules: Rules): Generator<Step> {
  const { at, gateway: holder, index } = one(state.writes, write);
  const become = (label: string, after: Write["at"]): Step => [
    label,
    ({ writes }) => {
      one(writes, write).at = after;
    },
  ];
  if (at === "new") {
    for (const [gateway, each] of state.gateways.entries()) {
      if (!serves(each, rules)) continue;
      yield [
        `client: write ${write} to gateway ${gateway}`,
        ({ writes }) => void Object.assign(one(writes, write), { at: "held", gateway }),
      ];
    }
  }
  if (at === "v2") {
    const after = rules.sendsOnce ? "unknown" : "held";
    yield become(`gateway ${holder}: write ${write} has no response`, after);
  }
  const gateway = one(state.gateways, holder);
  if (at === "answered" && !rules.judgesResponses)
    yield become(`gateway ${holder}: v2 has carried out write ${write}`, "done");
  const { view } = gateway;
  if (view === null || !serves(gateway, rules) || view.phase === "holding") return;
  if (at === "answered") {
    const counts = view.phase === "armed" || index <= view.end;
    const label = `gateway ${holder}: write ${write} at index ${index} ${counts ? "counts" : "does not count"}`;
    yield become(label, counts ? "done" : "unknown");
  }
  // Without the last condition, a model that sends writes again would have no end.
  const hasArrived = state.v2.includes(write) || state.packets.includes(write);
  if (at === "held" && view.phase === "armed" && !hasArrived) {
    yield [
      `gateway ${holder}: write ${write} to v2`,
      ({ writes, packets }) => {
        one(writes, write).at = "v2";
        packets.push(write);
      },
    ];
  }
  if (at === "held" && view.phase === "target") {
    yield [
      `gateway ${holder}: write ${write} to v3`,
      ({ writes, v3 }) => {
        one(writes, write).at = "done";
        v3.push(write);
      },
    ];
  }
}

function* stepsOfV2({ packets }: State): Generator<Step> {
  for (const [at, write] of packets.entries()) {
    yield [
      `v2 carries out write ${write}`,
      ({ packets, v2, writes }) => {
        packets.splice(at, 1);
        v2.push(write);
        const sent = one(writes, write);
        if (sent.at === "v2") Object.assign(sent, { at: "answered", index: v2.length });
      },
    ];
  }
}

function* stepsOfGateway(at: number, state: State, rules: Rules): Generator<Step> {
  const { view, registered, isSure, holds, hasLapsed } = one(state.gateways, at);
  const change = (label: string, properties: Partial<Gateway>): Step => [
    `gateway ${at} ${label}`,
    ({ gateways }) => void Object.assign(one(gateways, at), properties),
  ];
  const isCurrent = view?.revision === state.record.revision;
  if (!isCurrent && (registered || (view === null && !rules.registersFirst)))
    yield change("reads the state", { view: { ...state.record } });
  if (view?.phase === "holding" && registered && holds !== view.revision)
    yield change("acknowledges that it holds", { holds: view.revision });
  if (isSure && !hasLapsed)
    yield change("may have lost its registration", { isSure: false, hasLapsed: true });
  if (registered && !isSure)
    yield change("loses its registration", { registered: false, holds: 0 });
  if (!registered && (view === null || rules.registersFirst))
    yield change("registers", { registered: true, isSure: true, view: null, holds: 0 });
  else if (!registered) yield change("registers", { registered: true, isSure: true, holds: 0 });
}

/** One process copies. Others have been stopped, but what they have sent may still arrive. */
function* stepsOfCopies(state: State, { copies }: Bounds, rules: Rules): Generator<Step> {
  const { record, v2 } = state;
  if (state.copiesSent < copies && record.phase !== "target" && v2.length > 0 && !state.isCopying)
    yield [
      "coordinator: sends a copy",
      (next) => {
        const { version } = state;
        next.copies.push({ content: [...v2], revision: record.revision, version });
        next.copiesSent++;
        next.isCopying = true;
      },
    ];
  if (state.isCopying)
    yield [
      "coordinator: does not know the outcome of its copy",
      (next) => {
        next.isCopying = false;
        if (rules.voidsCopies) next.version++;
      },
    ];
  for (const [at, { content, revision, version }] of state.copies.entries()) {
    const isRefused =
      (rules.guardsCopies && revision !== record.revision) || version !== state.version;
    yield [
      `v3 ${isRefused ? "refuses" : "takes"} a copy`,
      (next) => {
        next.copies.splice(at, 1);
        if (!isRefused) next.v3 = content;
        // The sender may have given up waiting before.
        if (version === next.version && next.copies.length === 0) next.isCopying = false;
      },
    ];
  }
}

function* stepsOfCoordinators(state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  const { record, attempts } = state;
  if (record.phase === "armed" && attempts.length < bounds.attempts)
    yield [
      "coordinator: hold",
      (next) => {
        const revision = record.revision + 1;
        next.record = { ...record, phase: "holding", revision };
        next.attempts.push({ step: "read", revision, end: 0 });
      },
    ];
  if (record.phase === "holding")
    yield [
      "anybody: abort",
      (next) => {
        next.record = { ...record, phase: "armed", revision: record.revision + 1 };
      },
    ];
  for (const at of attempts.keys()) yield* stepsOfAttempt(at, state, rules);
}

function* stepsOfAttempt(at: number, state: State, rules: Rules): Generator<Step> {
  const attempt = one(state.attempts, at);
  const { record, v2, gateways, isCopying } = state;
  const isDecided = record.revision !== attempt.revision;
  const step = stepsOfCoordinator<State>(at);
  if (attempt.step === "read") {
    const holds = ({ registered, holds }: Gateway): boolean =>
      !registered || holds === attempt.revision;
    if (!rules.waitsForGateways || gateways.every(holds))
      yield step("reads the end of v2", { step: "copy", end: v2.length });
  }
  if (attempt.step === "copy" && !isCopying && (!isDecided || !rules.guardsCopies)) {
    yield step("copies v2 up to its end", { step: "switch" }, (next) => {
      next.v3 = v2.slice(0, attempt.end);
    });
  }
  if (attempt.step === "switch" && !isDecided) {
    yield step("switches", { step: "over" }, (next) => {
      const { end } = attempt;
      next.record = { phase: "target", revision: record.revision + 1, end };
    });
  }
}
