import type { Operation, Violation, Workload } from "../workload.js";

/** Values of a few files that are written, swapped and read. Only tries the rig. */
export const register: Workload = {
  name: "register",

  async run({ etcd, client, directory, random, operate, turn }) {
    for (let number = 0; ; number++) {
      await turn();
      const key = `${directory}/${Math.floor(random() * 5)}`;
      const value = `${client}-${number}`;
      const dice = random();
      if (dice < 0.5) {
        await operate(
          { kind: "read", key },
          () => etcd.getNodeValue(key, { quorum: true, ignoreKeyNotFound: true }),
          (read) => read,
        );
      } else {
        await operate({ kind: "write", key, input: value }, () => etcd.setNode(key, value));
      }
    }
  },

  /** Every value that was read was written by a write that did not fail. */
  check(history) {
    const written = new Set(
      history.filter(({ outcome }) => outcome !== "failed").map(({ input }) => input),
    );
    const isInvented = ({ kind, outcome, output }: Operation): boolean =>
      kind === "read" && outcome === "ok" && output !== null && !written.has(output);
    return history.filter(isInvented).map(
      (read): Violation => ({
        workload: "register",
        message: `${read.key} had a value that nobody wrote`,
        operations: [read],
      }),
    );
  },
};
