import { type MetricFamily, prometheusText } from "../../server/metrics/prometheus-text.js";

/** What a scrape knows of one worker. */
export interface WorkerMetrics {
  /** From 1 on. A worker that is started again has the number of the one before. */
  readonly worker: number;
  readonly restarts: number;
  /** Its metrics in Prometheus' text format; `undefined`: it does not respond. */
  readonly text: string | undefined;
}

/** One text with the metrics of all workers. Each sample gets the label `worker`. */
export function mergeMetrics(workers: readonly WorkerMetrics[]): string {
  const families = new Map<string, string[]>();
  for (const { worker, text = "" } of workers) {
    let samples: string[] = [];
    for (const line of text.split("\n")) {
      // `# HELP` and `# TYPE` begin a family.
      if (line.startsWith("# HELP ")) {
        const [, , name = ""] = line.split(" ", 3);
        samples = families.get(name) ?? [line];
        families.set(name, samples);
      } else if (line.startsWith("#")) {
        if (!samples.includes(line)) samples.push(line);
      } else if (line !== "") samples.push(labelled(line, worker));
    }
  }
  const lines = [...families.values()].flat().map((line) => `${line}\n`);
  return prometheusText(ownFamilies(workers)) + lines.join("");
}

/** `name{a="b"} 1` or `name 1` */
function labelled(line: string, worker: number): string {
  const [name = ""] = line.split(/[{ ]/, 1);
  const rest = line.slice(name.length);
  const label = `worker="${worker}"`;
  return rest.startsWith("{") ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}

function ownFamilies(workers: readonly WorkerMetrics[]): readonly MetricFamily[] {
  const samples = (value: (worker: WorkerMetrics) => number) =>
    workers.map((each) => ({ labels: { worker: String(each.worker) }, value: value(each) }));
  return [
    {
      name: "etcdnet_worker_up",
      type: "gauge",
      help: "1 if the worker responds to its parent, else 0.",
      samples: samples(({ text }) => Number(text !== undefined)),
    },
    {
      name: "etcdnet_worker_restarts_total",
      type: "counter",
      help: "How often the worker was started again after it had ended.",
      samples: samples(({ restarts }) => restarts),
    },
  ];
}
