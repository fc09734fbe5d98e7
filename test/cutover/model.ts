/**
 * A model of the switch of gateways from a v2 cluster to v3, with everything that can happen between two
 * steps: messages to v2 arrive late, members of v2 judge permissions by data that is out of date, gateways,
 * followers and coordinators stop and continue at any time, and anybody may abort.
 *
 * First, gateways pass writes to v2 (`armed`). A coordinator lets them hold writes, revokes the permission to
 * write on v2, copies the rest, and decides: `target`, or `armed` again. Values do not matter, so a store is the
 * list of its writes. TTLs, watches, indexes and the way back are not part of the model.
 */

/** Each rule prevents a fault, which appears when the rule is not followed. */
export interface Rules {
  /** The coordinator waits until every member of v2 knows that writing is revoked. */
  readonly asksEveryMember: boolean;
  /** A member that does not know the user yet does not count: it may learn of the permission first. */
  readonly seesRevocation: boolean;
  /** That means every user that ever had the permission: an attempt before may have stopped before it revoked. */
  readonly revokesEveryUser: boolean;
  /** Then it reads with quorum through each member: what the member had forwarded is in the log before. */
  readonly readsThroughEveryMember: boolean;
  /** A follower's copy compares the revision of the state record, so that it never replaces newer data. */
  readonly guardsCopies: boolean;
  /** It also compares how far the copy has got, so that a late copy never replaces a newer one. */
  readonly ordersCopies: boolean;
  /** `target` needs the acknowledgement of every registered gateway that it starts nothing on v2 any more. */
  readonly waitsForGateways: boolean;
  /** A gateway serves nothing when its lease may have ended. */
  readonly needsLease: boolean;
  /** A gateway registers before it reads the state. */
  readonly registersFirst: boolean;
  /** A write whose outcome on v2 is unknown is not sent again. */
  readonly sendsOnce: boolean;
  /** Writing is permitted to a new user of v2. One that has lost it never gets it back, so a late message is void. */
  readonly permitsNewUser: boolean;
}

export const ALL_RULES: Rules = {
  asksEveryMember: true,
  seesRevocation: true,
  revokesEveryUser: true,
  readsThroughEveryMember: true,
  guardsCopies: true,
  ordersCopies: true,
  waitsForGateways: true,
  needsLease: true,
  registersFirst: true,
  sendsOnce: true,
  permitsNewUser: true,
};

/** How many of each there are. */
export interface Bounds {
  readonly members: number;
  readonly gateways: number;
  readonly writes: number;
  /** Attempts to switch. */
  readonly attempts: number;
  /** Messages that permit writing on v2. */
  readonly permits: number;
  readonly copies: number;
}

/** The record on v3 that decides, changed by compare-and-swap alone. */
interface StateRecord {
  phase: "armed" | "holding" | "target";
  revision: number;
  /** Number of the user of v2 with which gateways write. */
  user: number;
}

interface Gateway {
  /** The state as it was last read. */
  view: StateRecord | null;
  /** Whether etcd has its registration. */
  registered: boolean;
  /** Whether its own clock says that the lease of the registration lasts. */
  leased: boolean;
  /** Revision of the state record for which it has acknowledged that it holds. */
  holds: number;
  /** Whether it has lost its lease once. */
  hasLapsed: boolean;
}

interface Write {
  /** `held`: at its gateway, and certainly not processed; `v2`: handed to v2; the others are responses. */
  at: "new" | "held" | "v2" | "done" | "unknown";
  gateway: number;
}

interface Attempt {
  step: "revoke" | "ask" | "read" | "switch" | "over";
  revision: number;
  user: number;
  /** Number of writes on v2 that count. */
  end: number;
}

/** Plain data: its JSON identifies it. */
interface State {
  record: StateRecord;
  /** Committed changes of permissions on v2, in order: the user, negative when writing is revoked. */
  permissions: number[];
  /** How many of them each member has applied. */
  applied: number[];
  /** Writes on their way to a member. */
  packets: { write: number; member: number; user: number }[];
  /** Writes that a member has accepted and forwarded. */
  forwarded: number[][];
  /** Messages on their way that permit writing to a user. */
  permits: number[];
  permitsSent: number;
  v2: number[];
  v3: number[];
  /** Number of copies on v3. */
  progress: number;
  /** Copies on their way to v3, with what they compare. */
  copies: { content: number[]; revision: number; progress: number }[];
  copiesSent: number;
  gateways: Gateway[];
  writes: Write[];
  attempts: Attempt[];
}

/** A violation, and the steps that lead to it. */
interface Counterexample {
  readonly problem: string;
  readonly steps: readonly string[];
}

export interface Exploration {
  /** Number of different states. */
  readonly states: number;
  /** Whether the switch has succeeded in one of them, also after an attempt that was aborted. */
  readonly reached: { readonly target: boolean; readonly targetAfterAbort: boolean };
  readonly found: Counterexample | undefined;
}

/** Visits every state that can be reached, until one violates an invariant. */
export function explore(bounds: Bounds, rules: Rules): Exploration {
  const seen = new Set<string>();
  const reached = { target: false, targetAfterAbort: false };
  const path: string[] = [];
  const open: { readonly label: string; readonly key: string; readonly depth: number }[] = [
    { label: "start", key: JSON.stringify(initialState(bounds)), depth: 0 },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { label, key, depth } = next;
    if (seen.has(key)) continue;
    seen.add(key);
    path.length = depth;
    path.push(label);
    const state: State = JSON.parse(key);
    const problem = violationIn(state, rules);
    if (problem !== undefined) {
      return { states: seen.size, reached, found: { problem, steps: [...path] } };
    }
    if (state.record.phase === "target") {
      reached.target = true;
      reached.targetAfterAbort ||= state.attempts.length > 1;
    }
    for (const [step, change] of stepsFrom(state, bounds, rules)) {
      const after: State = JSON.parse(key);
      change(after);
      open.push({ label: step, key: JSON.stringify(after), depth: depth + 1 });
    }
  }
  return { states: seen.size, reached, found: undefined };
}

function initialState({ members, gateways, writes }: Bounds): State {
  const record: StateRecord = { phase: "armed", revision: 1, user: 1 };
  const started = { view: record, registered: true, leased: true, holds: 0, hasLapsed: false };
  const later = { view: null, registered: false, leased: false, holds: 0, hasLapsed: true };
  return {
    record,
    permissions: [1],
    applied: Array.from({ length: members }, () => 1),
    packets: [],
    forwarded: Array.from({ length: members }, () => []),
    permits: [],
    permitsSent: 0,
    v2: [],
    v3: [],
    progress: 0,
    copies: [],
    copiesSent: 0,
    gateways: Array.from({ length: gateways }, (_, at) => (at === 0 ? started : later)),
    writes: Array.from({ length: writes }, () => ({ at: "new", gateway: 0 })),
    attempts: [],
  };
}

/** Whether a user may write, by so many of the changes of permissions. */
function mayWrite(
  user: number,
  permissions: readonly number[],
  { permitsNewUser }: Rules,
): boolean {
  const isNamed = (change: number): boolean => Math.abs(change) === user;
  return permitsNewUser
    ? permissions.includes(user) && !permissions.includes(-user)
    : permissions.findLast(isNamed) === user;
}

function serves({ view, leased }: Gateway, { needsLease }: Rules): boolean {
  return view !== null && (leased || !needsLease);
}

function violationIn(state: State, rules: Rules): string | undefined {
  const { record, v2, v3, gateways, writes, attempts } = state;
  if (record.phase === "target") {
    const { end = 0 } = attempts.find(({ step }) => step === "over") ?? {};
    if (v2.length > end) return "a write reaches v2 that is not copied";
    if (v2.some((write) => !v3.includes(write))) return "a write of v2 is missing on v3";
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

type Step = readonly [label: string, change: (state: State) => void];

function* stepsFrom(state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  for (const at of state.writes.keys()) yield* stepsOfWrite(at, state, rules);
  yield* stepsOfV2(state, rules);
  for (const at of state.gateways.keys()) yield* stepsOfGateway(at, state, rules);
  yield* stepsOfFollower(state, bounds, rules);
  yield* stepsOfCoordinators(state, bounds, rules);
  yield* stepsOfAbort(state, bounds, rules);
}

function* stepsOfWrite(write: number, state: State, rules: Rules): Generator<Step> {
  const { at, gateway: holder } = one(state.writes, write);
  if (at === "new") {
    for (const [gateway, each] of state.gateways.entries()) {
      if (!serves(each, rules)) continue;
      yield [
        `client: write ${write} to gateway ${gateway}`,
        ({ writes }) => {
          writes[write] = { at: "held", gateway };
        },
      ];
    }
  }
  if (at === "v2") {
    yield [
      `client: write ${write} has no response`,
      ({ writes }) => {
        one(writes, write).at = rules.sendsOnce ? "unknown" : "held";
      },
    ];
  }
  const { view } = one(state.gateways, holder);
  if (at !== "held" || view === null || !serves(one(state.gateways, holder), rules)) return;
  // Without this, a model that sends writes again would have no end.
  const isOnItsWay = state.packets.some((packet) => packet.write === write);
  if (view.phase === "armed" && !isOnItsWay) {
    for (const member of state.applied.keys()) {
      yield [
        `gateway ${holder}: write ${write} to member ${member}`,
        ({ writes, packets }) => {
          one(writes, write).at = "v2";
          packets.push({ write, member, user: view.user });
        },
      ];
    }
  }
  // A transaction that compares the state record.
  if (view.phase === "target" && view.revision === state.record.revision) {
    yield [
      `gateway ${holder}: write ${write} to v3`,
      ({ writes, v3 }) => {
        one(writes, write).at = "done";
        v3.push(write);
      },
    ];
  }
}

function* stepsOfV2(state: State, rules: Rules): Generator<Step> {
  const { applied, permissions, packets, forwarded, permits } = state;
  for (const [member, count] of applied.entries()) {
    if (count < permissions.length)
      yield [
        `member ${member} applies a permission`,
        (next) => {
          next.applied[member] = count + 1;
        },
      ];
    if (one(forwarded, member).length > 0)
      yield [
        `a write of member ${member} is committed`,
        (next) => {
          const write = one(next.forwarded, member).shift() ?? 0;
          next.v2.push(write);
          if (one(next.writes, write).at === "v2") one(next.writes, write).at = "done";
        },
      ];
  }
  for (const [at, { write, member, user }] of packets.entries()) {
    const isPermitted = mayWrite(user, permissions.slice(0, applied[member]), rules);
    yield [
      `member ${member} ${isPermitted ? "accepts" : "refuses"} write ${write}`,
      (next) => {
        next.packets.splice(at, 1);
        if (isPermitted) one(next.forwarded, member).push(write);
        else if (one(next.writes, write).at === "v2") one(next.writes, write).at = "held";
      },
    ];
  }
  for (const [at, user] of permits.entries()) {
    yield [
      `v2 permits user ${user}`,
      (next) => {
        next.permits.splice(at, 1);
        next.permissions.push(user);
      },
    ];
  }
}

function* stepsOfGateway(at: number, state: State, rules: Rules): Generator<Step> {
  const { view, registered, leased, holds, hasLapsed } = one(state.gateways, at);
  const change = (label: string, properties: Partial<Gateway>): Step => [
    `gateway ${at} ${label}`,
    ({ gateways }) => void Object.assign(one(gateways, at), properties),
  ];
  const isCurrent = view?.revision === state.record.revision;
  if (!isCurrent && (registered || (view === null && !rules.registersFirst)))
    yield change("reads the state", { view: { ...state.record } });
  if (view?.phase === "holding" && registered && holds !== view.revision)
    yield change("acknowledges that it holds", { holds: view.revision });
  if (leased && !hasLapsed)
    yield change("may have lost its lease", { leased: false, hasLapsed: true });
  if (registered && !leased)
    yield change("loses its registration", { registered: false, holds: 0 });
  if (!registered && (view === null || rules.registersFirst))
    yield change("registers", { registered: true, leased: true, view: null, holds: 0 });
  else if (!registered) yield change("registers", { registered: true, leased: true, holds: 0 });
}

function* stepsOfFollower(state: State, { copies }: Bounds, rules: Rules): Generator<Step> {
  const { record, v2 } = state;
  if (state.copiesSent < copies && record.phase !== "target" && v2.length > 0)
    yield [
      "follower: sends a copy",
      (next) => {
        const { progress } = state;
        next.copies.push({ content: [...v2], revision: record.revision, progress });
        next.copiesSent++;
      },
    ];
  for (const [at, { content, revision, progress }] of state.copies.entries()) {
    const isRefused =
      (rules.guardsCopies && revision !== record.revision) ||
      (rules.ordersCopies && progress !== state.progress);
    yield [
      `v3 ${isRefused ? "refuses" : "takes"} the copy of a follower`,
      (next) => {
        next.copies.splice(at, 1);
        if (isRefused) return;
        next.v3 = content;
        next.progress++;
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
        next.attempts.push({ step: "revoke", revision, user: record.user, end: 0 });
      },
    ];
  for (const at of attempts.keys()) yield* stepsOfAttempt(at, state, rules);
}

function* stepsOfAttempt(at: number, state: State, rules: Rules): Generator<Step> {
  const attempt = one(state.attempts, at);
  const { record, permissions, applied, forwarded, v2, gateways } = state;
  const users = rules.revokesEveryUser ? usersUpTo(attempt.user) : [attempt.user];
  const isDecided = record.revision !== attempt.revision;
  const step = (
    label: string,
    properties: Partial<Attempt>,
    also?: (next: State) => void,
  ): Step => [
    `coordinator ${at}: ${label}`,
    (next) => {
      Object.assign(one(next.attempts, at), properties);
      also?.(next);
    },
  ];
  if (attempt.step === "revoke")
    yield step("revokes writing on v2", { step: "ask" }, (next) => {
      next.permissions.push(...users.map((user) => -user));
    });
  if (isDecided) return;
  if (attempt.step === "ask") {
    const isRevoked = (count: number): boolean => {
      const known = permissions.slice(0, count);
      return users.every((user) => {
        const isKnown = known.includes(-user) || !rules.seesRevocation;
        return isKnown && !mayWrite(user, known, rules);
      });
    };
    if (!rules.asksEveryMember || applied.every(isRevoked))
      yield step("all members have revoked it", { step: "read" });
  }
  if (attempt.step === "read") {
    const isRead = !rules.readsThroughEveryMember || forwarded.every(({ length }) => length === 0);
    if (isRead)
      yield step(
        "reads v2 to its end and copies it",
        { step: "switch", end: v2.length },
        (next) => {
          next.v3 = [...v2];
          next.progress++;
        },
      );
  }
  if (attempt.step === "switch") {
    const holds = ({ registered, holds }: Gateway): boolean =>
      !registered || holds === attempt.revision;
    if (!rules.waitsForGateways || gateways.every(holds))
      yield step("switches", { step: "over" }, (next) => {
        next.record = { ...record, phase: "target", revision: record.revision + 1 };
      });
  }
}

/** The new permission has no effect before the state record names its user. */
function* stepsOfAbort(state: State, bounds: Bounds, rules: Rules): Generator<Step> {
  const { record, permissions, permitsSent } = state;
  if (record.phase !== "holding") return;
  const user = rules.permitsNewUser ? record.user + 1 : record.user;
  if (permitsSent < bounds.permits)
    yield [
      `anybody: permits user ${user}`,
      (next) => {
        next.permits.push(user);
        next.permitsSent++;
      },
    ];
  if (permissions.includes(user) && permitsSent > 0)
    yield [
      "anybody: abort",
      (next) => {
        next.record = { phase: "armed", revision: record.revision + 1, user };
      },
    ];
}

function usersUpTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

function one<T>(list: readonly T[], at: number): T {
  const found = list[at];
  if (found === undefined) throw new Error(`there is no element ${at}`);
  return found;
}
