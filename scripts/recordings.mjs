// @ts-check
// Writes docs/pictures/{tree,watch,migrate}.svg: what the commands print. With --check, says which picture is stale.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildIfStale, root } from "./project.mjs";

buildIfStale();
const { EtcdClient } = await import("etcdnet");
const { startEmbeddedEtcd } = await import("etcdnet/server");

/** What a terminal shows: a command, then what it prints. @typedef {{ command: string, lines: string[] }} Shown */

const old = await startEmbeddedEtcd();
const target = await startEmbeddedEtcd();
const etcd = new EtcdClient({ endpoints: old.url });
await etcd.setNode("/config/mail/host", "smtp.example.org");
await etcd.setNode("/config/mail/port", "25");
await etcd.setNode("/config/features/dark-mode", "on");
await etcd.setNode("/services/mail/m1", '{"port":25}');

/** @type {Readonly<Record<string, readonly Shown[]>>} */
const recordings = {
  tree: [await shownOf("tree --values")],
  migrate: [
    await shownOf("migrate --from http://old:2379 --to http://new:2379 --dry-run"),
    await shownOf("migrate --from http://old:2379 --to http://new:2379"),
    await shownOf("diff --from http://old:2379 --to http://new:2379"),
  ],
  watch: [await watched("watch --forever --recursive /config")],
};
await etcd.close();
await old.close();
await target.close();

const isCheck = process.argv.includes("--check");
let stale = 0;
for (const [name, shown] of Object.entries(recordings)) {
  const path = join(root, `docs/pictures/${name}.svg`);
  const picture = pictureOf(name, shown);
  if (!isCheck) writeFileSync(path, picture);
  else if (readFileSync(path, "utf8") !== picture) {
    console.error(
      `docs/pictures/${name}.svg is stale: node scripts/recordings.mjs writes it again`,
    );
    stale++;
  }
}
process.exitCode = stale === 0 ? 0 : 1;

/** Starts a command of etcdnet. The names of the machines stand for the servers of this script. @param {string} command */
function start(command) {
  const args = command.replace("http://old:2379", old.url).replace("http://new:2379", target.url);
  const program = [process.execPath, join(root, "dist/cli/main.js"), ...args.split(" ")];
  // One pipe for both outputs keeps their order.
  return spawn("sh", ["-c", 'exec "$@" 2>&1', "sh", ...program], {
    // Without the contexts and the settings of the user.
    env: { PATH: process.env.PATH, HOME: "/nonexistent", ETCDNET_ENDPOINTS: old.url },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Runs a command to its end. @param {string} command @returns {Promise<Shown>} */
async function shownOf(command) {
  const child = start(command);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return { command, lines: linesOf(printed) };
}

/** Runs a watch while values change. @param {string} command @returns {Promise<Shown>} */
async function watched(command) {
  const child = start(command);
  let printed = "";
  /** @type {() => void} */
  let onText = () => {};
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
    onText();
  });
  // A watch shows nothing when it is established: the first change is repeated until it is seen.
  /** @param {string} text */
  const seen = (text) =>
    new Promise((resolve) => {
      onText = () => printed.includes(text) && resolve(undefined);
      onText();
    });
  while (!printed.includes("/config/ready")) {
    await etcd.setNode("/config/ready", "yes");
    await Promise.race([seen("/config/ready"), new Promise((r) => setTimeout(r, 100))]);
  }
  printed = "";
  await etcd.setNode("/config/mail/port", "587");
  await etcd.createNode("/config/mail/token", "s3cret", { ttl: 1 });
  await seen("[expire]");
  await etcd.deleteNode("/config/features/dark-mode");
  await seen("[delete]");
  child.kill("SIGINT");
  await new Promise((resolve) => child.once("close", resolve));
  const lines = linesOf(printed.slice(printed.indexOf("[set] /config/mail/port")));
  return { command, lines: [...lines, "^C"] };
}

/** The lines without those that depend on the speed of the machine. @param {string} printed */
function linesOf(printed) {
  return printed
    .trimEnd()
    .split("\n")
    .filter((line) => !/^(?:copying|comparing) /.test(line))
    .map((line) => line.replace(/ in [\dms. ]+(?: \(\d+ keys\/s\))?$/, " in … s"));
}

/** @param {string} name @param {readonly Shown[]} shown */
function pictureOf(name, shown) {
  const lines = shown.flatMap(({ command, lines }) => [`$ etcdnet ${command}`, ...lines]);
  const columns = Math.max(60, ...lines.map((line) => line.length));
  const [width, height] = [columns * 7.8 + 32, lines.length * 20 + 28];
  const texts = lines.map((line, number) => {
    const kind = line.startsWith("$ ") ? ' class="command"' : "";
    return `  <text x="16" y="${number * 20 + 28}"${kind} style="animation-duration:${number * 0.3}s">${escaped(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img" aria-labelledby="title" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13">
  <!-- Written by scripts/recordings.mjs. -->
  <title id="title">A terminal with etcdnet ${name}</title>
  <style>
    .page { fill: #f6f8fa; stroke: #d1d9e0; }
    text { fill: #1f2328; white-space: pre; animation: appear step-end; }
    .command { fill: #0550ae; }
    @keyframes appear { from { opacity: 0; } }
    @media (prefers-reduced-motion) { text { animation: none; } }
    @media (prefers-color-scheme: dark) {
      .page { fill: #151b23; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .command { fill: #79c0ff; }
    }
  </style>
  <rect class="page" x="0.5" y="0.5" width="${(width - 1).toFixed(0)}" height="${height - 1}" rx="8"/>
${texts.join("\n")}
</svg>
`;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
