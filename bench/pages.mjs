// @ts-check
/** Writes charts and tables of `npm run bench` into the pages. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/project.mjs";
import { draw } from "./chart.mjs";

/**
 * @typedef {import("./measured.mjs").Figure} Figure
 * @typedef {import("./chart.mjs").Chart} Chart
 */

/** @type {Readonly<Record<string, Chart>>} */
const CHARTS = {
  ...speedCharts("3.7"),
  ...speedCharts("3.4"),
  "get-sizes": sizeChart("Reads of values of 100 B to 1 MB, 32 in flight, etcd 3.7"),
  "set-sizes": sizeChart("Writes of values of 100 B to 1 MB, 32 in flight, etcd 3.7"),
  "latency-get": latencyChart("get"),
  "latency-set": latencyChart("set"),
  "scale-keys": costChart("An operation against the number of keys", "keys", "call"),
  "scale-watchers": costChart("A set while others watch another key", "watchers", "call"),
  "scale-events": costChart("An event, for each watcher that gets it", "watchers", "watcher"),
  "scale-sizes": costChart(
    "An operation against the size of the value",
    "bytes of the value",
    "call",
  ),
  "scale-width": costChart("An operation in a directory with many files", "files", "call"),
  "scale-list": costChart("A listing, for each node of it", "files of the directory", "node"),
  "scale-depth": costChart("An operation below many directories", "levels of the path", "call"),
  "scale-gateways": {
    ...costChart("A set while every gateway watches etcd", "gateways", "call"),
    isLog: false,
  },
  "scale-members": {
    ...costChart("An operation on clusters of one member and of three", "members", "call"),
    kind: "bars",
    isLog: false,
  },
  million: {
    title: "One change to 1,000,000 watchers, simulated from measured costs",
    x: "gateways, each on a core of its own",
    y: "ms after the change",
    kind: "lines",
    isLog: true,
  },
};

/** @param {string} release @returns {Record<string, Chart>} */
function speedCharts(release) {
  return Object.fromEntries(
    ["get", "set"].map((operation) => [
      `${operation}-${release}`,
      {
        title: `${operation} on etcd ${release}, 100 B`,
        x: "calls in flight",
        y: "calls per second",
        kind: /** @type {const} */ ("bars"),
        isLog: true,
      },
    ]),
  );
}

/** @param {string} title @param {string} x @param {"call" | "watcher" | "node"} each @returns {Chart} */
function costChart(title, x, each) {
  const y = `µs of CPU for each ${each}, of the named processes`;
  return { title, x, y, kind: "lines", isLog: true };
}

/** @param {string} title @returns {Chart} */
function sizeChart(title) {
  return { title, x: "bytes of a value", y: "MB per second", kind: "lines", isLog: true };
}

/** @param {string} operation @returns {Chart} */
function latencyChart(operation) {
  return {
    title: `Latency of ${operation} at half of the highest rate, by release of etcd`,
    x: "share of the calls that are faster: 50 %, 90 %, 99 %, 99.9 %",
    y: "ms from the intended start",
    kind: "bars",
    isLog: true,
  };
}

/**
 * The charts that the figures have points of.
 *
 * @param {readonly Figure[]} figures
 * @param {string} source where and when they were measured
 * @returns {Map<string, string>} SVG by the path of its file
 */
export function chartsOf(figures, source) {
  const names = new Set(figures.flatMap(({ point }) => (point ? [point.chart] : [])));
  const charts = [...names].map((name) => {
    const chart = CHARTS[name];
    if (chart === undefined) throw new Error(`bench/pages.mjs does not describe chart ${name}`);
    const picture = draw(chart, seriesOf(name, figures), source);
    return /** @type {const} */ ([`docs/pictures/bench-${name}.svg`, picture]);
  });
  return new Map(charts);
}

/** @param {string} chart @param {readonly Figure[]} figures */
function seriesOf(chart, figures) {
  /** @type {Map<string, [number | string, number][]>} */
  const series = new Map();
  for (const { point, value } of figures) {
    if (point?.chart !== chart) continue;
    const points = series.get(point.series) ?? [];
    series.set(point.series, [...points, [point.x, value]]);
  }
  return [...series].map(([name, points]) => ({ name, points }));
}

/**
 * The pages with each section between its marks.
 *
 * @param {readonly (readonly string[])[]} sections name and Markdown
 * @returns {Map<string, string>} Markdown by the path of its file
 */
export function pagesOf(sections) {
  const files = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
  const paths = files.map((file) => `docs/${file}`);
  const texts = new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
  for (const [section = "", markdown = ""] of sections) {
    const found = [...texts].find(([, text]) => text.includes(begin(section)));
    if (found === undefined) throw new Error(`no page in docs has ${begin(section)}`);
    texts.set(found[0], replaced(found[1], section, markdown));
  }
  return texts;
}

/** @param {ReadonlyMap<string, string>} files by their paths */
export function writeFiles(files) {
  for (const [path, text] of files) writeFileSync(join(root, path), text);
}

/** @param {string} page @param {string} section @param {string} content */
export function replaced(page, section, content) {
  const [from, to] = [page.indexOf(begin(section)), page.indexOf(end(section))];
  if (from < 0 || to < from) throw new Error(`${begin(section)} and ${end(section)} are missing`);
  return `${page.slice(0, from)}${begin(section)}\n\n${content}\n\n${page.slice(to)}`;
}

/** @param {string} section */
function begin(section) {
  return `<!-- bench ${section}: begin -->`;
}

/** @param {string} section */
function end(section) {
  return `<!-- bench ${section}: end -->`;
}
