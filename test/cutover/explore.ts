/** Visits all states of a model. */

/** Plain data: its JSON identifies a state. */
interface Model<State> {
  readonly start: State;
  /** The invariant that a state violates. */
  violationIn(state: State): string | undefined;
  stepsFrom(state: State): Iterable<Step<State>>;
  /** Called with each state that violates nothing. */
  onState(state: State): void;
}

/** What can happen next. The change is applied to a copy. */
export type Step<State> = readonly [label: string, change: (state: State) => void];

/** A violation, and the steps that lead to it. */
interface Counterexample {
  readonly problem: string;
  readonly steps: readonly string[];
}

export interface Exploration {
  /** Number of different states. */
  readonly states: number;
  readonly found: Counterexample | undefined;
}

/** Visits every state that can be reached, until one violates an invariant. */
export function explore<State>(model: Model<State>): Exploration {
  const seen = new Set<string>();
  const path: string[] = [];
  const open: { readonly label: string; readonly key: string; readonly depth: number }[] = [
    { label: "start", key: JSON.stringify(model.start), depth: 0 },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { label, key, depth } = next;
    if (seen.has(key)) continue;
    seen.add(key);
    path.length = depth;
    path.push(label);
    const state: State = JSON.parse(key);
    const problem = model.violationIn(state);
    if (problem !== undefined) return { states: seen.size, found: { problem, steps: [...path] } };
    model.onState(state);
    for (const [step, change] of model.stepsFrom(state)) {
      const after: State = JSON.parse(key);
      change(after);
      const afterKey = JSON.stringify(after);
      if (!seen.has(afterKey)) open.push({ label: step, key: afterKey, depth: depth + 1 });
    }
  }
  return { states: seen.size, found: undefined };
}

/** @throws Error when there is no such element */
export function one<T>(list: readonly T[], at: number): T {
  const found = list[at];
  if (found === undefined) throw new Error(`there is no element ${at}`);
  return found;
}

/** Makes the steps of one attempt, which set properties of it. */
export function stepsOfCoordinator<State extends { attempts: object[] }>(at: number) {
  return (
    label: string,
    properties: Partial<State["attempts"][number]>,
    also?: (next: State) => void,
  ): Step<State> => [
    `coordinator ${at}: ${label}`,
    (next) => {
      Object.assign(one(next.attempts, at), properties);
      also?.(next);
    },
  ];
}
