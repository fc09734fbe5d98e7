import { checkInOrder, type InOrderOperation } from "../checks/in-order.js";
import type { Workload } from "../workload.js";
import { itemsIn } from "./items.js";
import { UniqueValues } from "./values.js";

export const inOrder: Workload = {
  name: "in-order",
  async run({ turn, client, etcd, directory, operate }) {
    const values = new UniqueValues({ client });
    for (;;) {
      await turn();
      const value = values.next();
      const create = () => etcd.createInOrderNode(directory, value);
      await operate(
        { kind: "create", key: directory, input: value },
        create,
        ({ node }) => node.key,
      );
    }
  },
  async finish({ etcd, directory, operate }) {
    await operate(
      { kind: "list", key: directory },
      () => itemsIn(etcd, directory),
      (items) => items,
    );
  },
  check: (history) => checkInOrder(history as readonly InOrderOperation[]),
};
