import type { Operation } from "../workload.js";

/** An operation of a history for tests. */
export type Step = Pick<Operation, "kind"> &
  Partial<Pick<Operation, "workload" | "client" | "key" | "input" | "output" | "outcome">> & {
    /** Begin and end, in seconds. @default one second, after all steps before */
    readonly at?: readonly [number, number];
  };

/** A history for tests of checks. */
export function historyOf<Kind extends Operation>(steps: readonly Step[]): readonly Kind[] {
  let now = 0;
  const operations = steps.map(({ at: [from, to] = [now + 1, now + 2], ...step }): Operation => {
    now = Math.max(now, to);
    const times = { invokedAt: from * 1e9, completedAt: to * 1e9 };
    return { workload: "test", client: 0, key: "/key", outcome: "ok", ...step, ...times };
  });
  return operations.toSorted(
    (a, b) => a.completedAt - b.completedAt,
  ) as readonly Operation[] as readonly Kind[];
}
