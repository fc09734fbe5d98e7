import { expect, it } from "vitest";
import { mergeMetrics } from "./merge-metrics.js";

it("shows each sample with its worker, and each family once", () => {
  const textOf = (value: number) =>
    `# HELP a_total Of {a} kind.\n# TYPE a_total counter\na_total ${value}\n` +
    '# HELP b B.\n# TYPE b histogram\nb_bucket{le="1",x="a b{\\n"} 2\nb_count 3\n';
  const more = "# HELP c C.\n# TYPE c gauge\nc 1\n";
  expect(
    mergeMetrics([
      { worker: 1, restarts: 0, text: textOf(1) },
      { worker: 2, restarts: 4, text: undefined },
      { worker: 3, restarts: 0, text: textOf(5) + more },
    ]),
  ).toBe(`# HELP etcdnet_worker_up 1 if the worker responds to its parent, else 0.
# TYPE etcdnet_worker_up gauge
etcdnet_worker_up{worker="1"} 1
etcdnet_worker_up{worker="2"} 0
etcdnet_worker_up{worker="3"} 1
# HELP etcdnet_worker_restarts_total How often the worker was started again after it had ended.
# TYPE etcdnet_worker_restarts_total counter
etcdnet_worker_restarts_total{worker="1"} 0
etcdnet_worker_restarts_total{worker="2"} 4
etcdnet_worker_restarts_total{worker="3"} 0
# HELP a_total Of {a} kind.
# TYPE a_total counter
a_total{worker="1"} 1
a_total{worker="3"} 5
# HELP b B.
# TYPE b histogram
b_bucket{worker="1",le="1",x="a b{\\n"} 2
b_count{worker="1"} 3
b_bucket{worker="3",le="1",x="a b{\\n"} 2
b_count{worker="3"} 3
# HELP c C.
# TYPE c gauge
c{worker="3"} 1
`);
});
