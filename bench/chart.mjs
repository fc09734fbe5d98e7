// @ts-check
/** Draws charts as SVG: lines over numbers, bars over names. They are readable in light and dark, and say what they show. */

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} x what the x-axis counts, with its unit
 * @property {string} y
 * @property {"lines" | "bars"} kind
 * @property {boolean} [isLog] whether the y-axis is logarithmic
 * @property {string} [limit] what the line at `limitAt` means
 * @property {number} [limitAt]
 */

/** @typedef {{ name: string, points: readonly (readonly [x: number | string, y: number])[] }} Series */

/** A mapping of values to pixels, with the values that the axis shows. @typedef {{ at: (value: number) => number, ticks: readonly number[] }} Scale */

const WIDTH = 760;
const PLOT = { left: 78, right: 736, top: 66, height: 280 };
const LEGEND_LINE = 20;
const CHARACTER = 7.2;
/** Colors that also differ in their lightness: Okabe and Ito's for light, lighter ones for dark. */
const LIGHT = ["#0060a8", "#d55e00", "#00795a", "#b0437f", "#7a6000", "#5b5bd6", "#555d66"];
const DARK = ["#6cb6ff", "#ff9d4d", "#3fcf9f", "#f28bc1", "#e3c341", "#b3a8ff", "#aeb6bf"];
const MARKERS = [
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  "M-4-4h8v8h-8z",
  "M0-5 5 4H-5z",
  "M0-5 5 0 0 5-5 0z",
  "M-5-4h10L0 5z",
  "M-2-5h4v3h3v4h-3v3h-4v-3h-3v-4h3z",
  "M-5-2h10v4h-10z",
];

/**
 * @param {Chart} chart
 * @param {readonly Series[]} series
 * @param {string} source where and when it was measured
 */
export function draw(chart, series, source) {
  const legend = legendOf(series);
  const bottom = PLOT.top + legend.height + PLOT.height;
  const plot = { ...PLOT, top: PLOT.top + legend.height, bottom };
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const most = Math.max(...values, chart.limitAt ?? 0);
  const least = chart.isLog ? Math.min(...values.filter((y) => y > 0), chart.limitAt ?? most) : 0;
  const y = (chart.isLog ? logScale : linearScale)(least, most, bottom, plot.top);
  const content = chart.kind === "lines" ? lines(series, y, plot) : bars(series, y, plot);
  const height = bottom + 76;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13">
  <!-- Written by npm run bench. -->
  <title id="title">${escaped(chart.title)}</title>
  <desc id="description">${escaped(descriptionOf(chart, series))}</desc>
  <style>${style()}</style>
  <rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  <text class="title" x="20" y="30">${escaped(chart.title)}</text>
  <text class="soft" x="20" y="50">${escaped(chart.y)}${chart.isLog ? ", logarithmic" : ""}</text>
  ${legend.content}
  ${grid(y, plot)}
  ${limit(chart, y, plot)}
  ${content}
  <text class="soft" x="${(plot.left + plot.right) / 2}" y="${bottom + 44}" text-anchor="middle">${escaped(chart.x)}</text>
  <text class="soft" x="20" y="${bottom + 64}" font-size="11">${escaped(source)}</text>
</svg>
`;
}

/** @typedef {typeof PLOT & { bottom: number }} Plot */

/** @param {Chart} chart @param {readonly Series[]} series */
function descriptionOf({ x, y }, series) {
  const all = series.map(({ name, points }) => {
    return `${name}: ${points.map(([at, value]) => `${short(value)} at ${labelOf(at)}`).join(", ")}`;
  });
  return `${y}, by ${x}. ${all.join(". ")}.`;
}

function style() {
  const colors = (/** @type {readonly string[]} */ palette) =>
    palette.map((color, n) => `.s${n} { --color: ${color}; }`).join(" ");
  return `
    .page { fill: #f6f8fa; stroke: #d1d9e0; }
    text { fill: #1f2328; }
    .soft { fill: #59636e; }
    .title { font-size: 16px; font-weight: 600; }
    .grid { stroke: #d1d9e0; }
    .limit { stroke: #cf222e; stroke-dasharray: 6 4; }
    .line { fill: none; stroke: var(--color); stroke-width: 2; }
    .mark { fill: var(--color); }
    ${colors(LIGHT)}
    @media (prefers-color-scheme: dark) {
      .page { fill: #151b23; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .soft { fill: #9198a1; }
      .grid { stroke: #2f3742; }
      .limit { stroke: #ff7b72; }
      ${colors(DARK)}
    }
  `;
}

/** @param {readonly Series[]} series */
function legendOf(series) {
  let [x, line] = [20, 0];
  const entries = series.map(({ name }, n) => {
    const width = 34 + name.length * CHARACTER;
    if (x + width > WIDTH - 20) [x, line] = [20, line + 1];
    const entry = `<g class="s${n}" transform="translate(${x + 6} ${72 + line * LEGEND_LINE})">${marker(n)}<text x="12" y="4.5">${escaped(name)}</text></g>`;
    x += width;
    return entry;
  });
  return { content: entries.join("\n  "), height: (line + 1) * LEGEND_LINE + 14 };
}

/** @param {number} series */
function marker(series) {
  return `<path class="mark" d="${MARKERS[series % MARKERS.length]}"/>`;
}

/** @param {Scale} y @param {Plot} plot */
function grid(y, plot) {
  return y.ticks
    .map((value) => {
      const at = round(y.at(value));
      return `<path class="grid" d="M${plot.left} ${at}H${plot.right}"/><text class="soft" x="${plot.left - 8}" y="${at + 4}" text-anchor="end">${short(value)}</text>`;
    })
    .join("\n  ");
}

/** @param {Chart} chart @param {Scale} y @param {Plot} plot */
function limit({ limit: meaning = "", limitAt }, y, plot) {
  if (limitAt === undefined) return "";
  const at = round(y.at(limitAt));
  return `<path class="limit" d="M${plot.left} ${at}H${plot.right}"/><text class="soft" x="${plot.right}" y="${at - 5}" text-anchor="end">${escaped(meaning)}</text>`;
}

/** @param {readonly Series[]} series @param {Scale} y @param {Plot} plot */
function lines(series, y, plot) {
  const all = [...new Set(series.flatMap(({ points }) => points.map(([x]) => Number(x))))];
  all.sort((a, b) => a - b);
  const [least = 1, most = 10] = [all[0], all.at(-1)];
  // Axes of counts are logarithmic when they span more than a few doublings.
  const isLog = most / least > 8;
  const [low, high] = [plot.left + 16, plot.right - 24];
  const share = (/** @type {number} */ x) =>
    isLog ? Math.log(x / least) / Math.log(most / least) : (x - least) / (most - least || 1);
  const at = (/** @type {number} */ x) => round(low + share(x) * (high - low));
  const ticks = all.map(
    (x) =>
      `<text class="soft" x="${at(x)}" y="${plot.bottom + 20}" text-anchor="middle">${short(x)}</text>`,
  );
  const drawn = series.map(({ points }, n) => {
    const places = points
      .filter(([, value]) => Number.isFinite(value))
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([x, value]) => [at(Number(x)), round(y.at(value))].join(" "));
    const marks = places.map((place) => `<g transform="translate(${place})">${marker(n)}</g>`);
    return `<g class="s${n}"><path class="line" d="M${places.join("L")}"/>${marks.join("")}</g>`;
  });
  return [...ticks, ...drawn].join("\n  ");
}

/** @param {readonly Series[]} series @param {Scale} y @param {Plot} plot */
function bars(series, y, plot) {
  const groups = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))];
  const step = (plot.right - plot.left) / groups.length;
  const width = Math.min(64, (step * 0.8) / series.length);
  const drawn = groups.map((group, g) => {
    const middle = plot.left + step * (g + 0.5);
    const label = `<text class="soft" x="${round(middle)}" y="${plot.bottom + 20}" text-anchor="middle">${escaped(labelOf(group))}</text>`;
    const each = series.map(({ points }, n) => {
      const value = points.find(([x]) => x === group)?.[1];
      if (value === undefined) return "";
      const [left, top] = [middle + (n - series.length / 2) * width, y.at(value)];
      const bar = `<rect class="mark" x="${round(left)}" y="${round(top)}" width="${round(width - 2)}" height="${round(Math.max(1, plot.bottom - top))}"/>`;
      const shown =
        width < 26
          ? ""
          : `<text x="${round(left + width / 2 - 1)}" y="${round(top - 4)}" text-anchor="middle" font-size="11">${short(value)}</text>`;
      return `<g class="s${n}">${bar}${shown}</g>`;
    });
    return [label, ...each].join("");
  });
  return drawn.join("\n  ");
}

/**
 * @param {number} _least
 * @param {number} most
 * @param {number} bottom
 * @param {number} top
 * @returns {Scale}
 */
function linearScale(_least, most, bottom, top) {
  const step = niceStep((most || 1) / 5);
  const end = Math.ceil((most || 1) / step) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, n) => n * step);
  return { ticks, at: (value) => bottom - (value / end) * (bottom - top) };
}

/**
 * @param {number} least
 * @param {number} most
 * @param {number} bottom
 * @param {number} top
 * @returns {Scale}
 */
function logScale(least, most, bottom, top) {
  const from = Math.floor(Math.log10(least));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)));
  const powers = Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n));
  const ticks = to - from > 2 ? powers : powers.flatMap((each) => [each, 2 * each, 5 * each]);
  return {
    ticks: ticks.filter((tick) => tick <= 10 ** to),
    at: (value) =>
      bottom - ((Math.log10(value > 0 ? value : least) - from) / (to - from)) * (bottom - top),
  };
}

/** 1, 2 or 5 times a power of ten. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((each) => each * power >= least) ?? 10) * power;
}

/** @param {number | string} x */
function labelOf(x) {
  return typeof x === "number" ? short(x) : x;
}

/** @param {number} value */
export function short(value) {
  if (value >= 1e6) return `${trimmed(value / 1e6)} M`;
  if (value >= 10_000) return `${trimmed(value / 1000)} k`;
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return trimmed(value);
}

/** @param {number} value */
function trimmed(value) {
  return String(Number(value.toPrecision(value >= 100 ? 3 : 2)));
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
