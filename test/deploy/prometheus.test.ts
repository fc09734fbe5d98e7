/** The alerts and the dashboard, with the metrics of a gateway that runs. */

import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "../../scripts/project.mjs";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { itWith } from "../foreign/missing.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { feed, findPromtool, print } from "./tools.js";

const ALERTS = join(root, "deploy/prometheus/alerts.yaml");
const RULE_TESTS = join(root, "deploy/prometheus/alerts.test.yaml");
const promtool = findPromtool();

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const alerts: readonly Alert[] = parse(readFileSync(ALERTS, "utf8")).groups[0].rules;
const dashboard: Dashboard = JSON.parse(
  readFileSync(join(root, "deploy/grafana/dashboard.json"), "utf8"),
);

/** The metrics of a gateway that an expression names. */
function metricsIn(expression: string): readonly string[] {
  return expression.match(/\b(?:etcd|etcdnet|process)_\w+/g) ?? [];
}

describe("deploy/prometheus", () => {
  itWith(promtool, "has rules that Prometheus accepts", async (program) => {
    await print(program, "check", "rules", ALERTS);
  });

  itWith(promtool, "has alerts that fire when they should", async (program) => {
    await print(program, "test", "rules", RULE_TESTS);
  });

  it("tests every alert, and names a section of the runbook", () => {
    const tests = readFileSync(RULE_TESTS, "utf8");
    const headings = readFileSync(join(root, "docs/runbook.md"), "utf8").matchAll(/^## (.+)$/gm);
    const anchors = [...headings].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(" ", "-"),
    );
    for (const { alert, annotations } of alerts) {
      expect(tests).toContain(`alertname: ${alert} `);
      expect(anchors.map((anchor) => `docs/runbook.md#${anchor}`)).toContain(annotations.runbook);
    }
  });
});

describe("deploy/grafana/dashboard.json", () => {
  it("has panels with unique ids, on the data source that the user chooses", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { datasource } of dashboard.panels) expect(datasource.uid).toBe(`\${datasource}`);
    const variables = dashboard.templating.list.map(({ name }) => name);
    expect(variables).toEqual(["datasource", "job", "instance"]);
  });

  it("has panels that do not overlap", () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from(
        { length: w * h },
        (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`,
      );
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  itWith(promtool, "has expressions that Prometheus can parse", async (program) => {
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = expressions.map((expr, number) => ({
      record: `expression_${number}`,
      expr: expr.replaceAll("$__rate_interval", "5m"),
    }));
    const folder = await mkdtemp(join(tmpdir(), "etcdnet-dashboard-"));
    const file = join(folder, "rules.yaml");
    await writeFile(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    await print(program, "check", "rules", file);
    await rm(folder, { recursive: true });
  });
});

describeWithEtcd("3.6", "the metrics of a gateway", () => {
  let etcd: EtcdCluster;
  let gateway: Gateway;
  let scrape = "";

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.6" });
    gateway = await createGateway({ etcd: { endpoints: etcd.urls } });
    const key = `${gateway.url}/v2/keys/a`;
    await fetch(key, { method: "PUT", body: new URLSearchParams({ value: "1" }) });
    await fetch(key);
    await fetch(`${gateway.url}/v2/keys/missing`);
    await fetch(`${gateway.url}/readyz`);
    scrape = await (await fetch(`${gateway.url}/metrics`)).text();
  });

  afterAll(async () => {
    await gateway?.close();
    await etcd?.stop();
  });

  itWith(promtool, "follow the conventions of Prometheus", async (program) => {
    await feed(scrape, program, "check", "metrics");
  });

  it.each([
    ["alert", alerts.map(({ alert, expr }) => [alert, expr] as const)],
    [
      "panel",
      dashboard.panels.map(({ title, targets }) => [title, targets[0]?.expr ?? ""] as const),
    ],
  ])("include those of every %s", (_, expressions) => {
    for (const [name, expression] of expressions) {
      for (const metric of metricsIn(expression)) {
        expect(scrape, `${name} uses ${metric}`).toMatch(new RegExp(`^${metric}[{ ]`, "m"));
      }
    }
  });
});
