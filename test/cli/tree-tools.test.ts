import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import type { Outcome, RunOptions, Started } from "../foreign/run.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { etcdnet, startEtcdnet } from "./etcdnet.js";

beforeAll(buildIfStale);

for (const api of ["v2", "v3"] as const) {
  describeWithEtcd("3.5", `etcdnet on ${api}`, () => tools(api));
}

function tools(api: "v2" | "v3"): void {
  let etcd: EtcdCluster | undefined;
  let client: EtcdClient;
  let name = 0;
  /** A directory of its own for each test. */
  let top = "";
  const started: Started[] = [];
  const folders: string[] = [];
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.5", args: ["--unsafe-no-fsync"] });
    client = new EtcdClient({ urls: etcd.urls, api });
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.stop();
    for (const folder of folders) await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    top = `/t${++name}`;
  });
  afterEach(async () => {
    for (const { child } of started) child.kill("SIGKILL");
    await Promise.all(started.splice(0).map(({ ended }) => ended));
  });
  const global = (): readonly string[] => ["--api", api, "--endpoints", etcd?.urls[0] ?? ""];
  const run = (args: readonly string[], options?: RunOptions) =>
    etcdnet([...global(), ...args], options);
  const start = (...args: readonly string[]): Started => {
    const process = startEtcdnet([...global(), ...args]);
    started.push(process);
    return process;
  };

  it("wait ends at once when the condition is true", async () => {
    await client.setNode(`${top}/a`, "x=y");
    await client.setNode(`${top}/dir/_hidden`, "1");
    const value = { code: 0, stdout: "x=y\n", stderr: "" };
    expect(await run(["wait", `${top}/a`])).toEqual(value);
    expect(await run(["wait", `${top}/a=x=y`, "--timeout", "60s"])).toEqual(value);
    expect(await run(["wait", `${top}/dir`])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("wait gives up after --timeout with exit code 4", async () => {
    await client.setNode(`${top}/a`, "1");
    expect(await run(["wait", `${top}/a=2`, "--timeout", "1s"])).toEqual({
      code: 4,
      stdout: "",
      stderr: `Error:  ${top}/a does not have the value 2 after 1000 ms\n`,
    });
    const never = await run(["--endpoints", "http://127.0.0.1:1", "wait", `${top}/a`]);
    expect(never.code).toBe(2);
  });

  it("a server that does not respond ends a wait and a search for a leader", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const hung = (...args: readonly string[]): Promise<Outcome> =>
      run(["--endpoints", url, ...args]);
    expect(await hung("wait", "/a", "--timeout", "500ms")).toEqual({
      code: 4,
      stdout: "",
      stderr: `Error:  /a: no response within 500 ms (${url})\n`,
    });
    expect(await hung("--timeout", "500ms", "elect", "--listen", "/a")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`at ${url}: no `),
    });
    silent.close();
  });

  it("wait sees a value that is there for a moment only", async () => {
    const waits = [start("wait", `${top}/d/a=go`), start("wait", `${top}/d`)];
    let isWaiting = true;
    const ended = Promise.all(waits.map((each) => each.ended)).finally(() => {
      isWaiting = false;
    });
    // Other values come all the time, so that some come between the read and the watch.
    while (isWaiting) {
      await client.setNode(`${top}/d/a`, "go");
      await client.setNode(`${top}/d/a`, "stop");
      await client.deleteNode(`${top}/d`, { recursive: true });
    }
    const [value, directory] = await ended;
    expect(value).toEqual({ code: 0, stdout: "go\n", stderr: "" });
    expect(directory).toMatchObject({ code: 0, stderr: "" });
  });

  it("grep finds keys and lines of values, and escapes what controls a terminal", async () => {
    await client.setNode(`${top}/mail/host`, "smtp.example.org");
    await client.setNode(`${top}/conf`, "a\nlisten Mail;\nb\u001b[2J\u009b");
    await client.setNode(`${top}/empty/mail`, null, { dir: true });
    await client.setNode(`${top}/_hidden`, "mail");
    const grep = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await run(["grep", ...args]);
      expect(stderr).toBe("");
      return [code, stdout.replaceAll(top, "")];
    };
    expect(await grep("mail", top)).toEqual([
      0,
      "/empty/mail/\n/mail/\n/mail/host: smtp.example.org\n",
    ]);
    expect(await grep("-i", "--values", "^LISTEN \\w+;$", top)).toEqual([
      0,
      "/conf:2: listen Mail;\n",
    ]);
    expect(await grep("--keys", "-l", "host$", top)).toEqual([0, "/mail/host\n"]);
    expect(await grep("-F", "^b", top)).toEqual([1, ""]);
    expect(await grep("^b", top)).toEqual([0, "/conf:3: b\\u001b[2J\\u009b\n"]);
    const [, line = ""] = await grep("-o", "jsonl", "smtp", top);
    expect(JSON.parse(String(line))).toMatchObject({
      key: "/mail/host",
      value: "smtp.example.org",
    });
    const refused = await run(["grep", "(?=a)", top]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("lookaround")]);
  });

  /** An editor that is a shell script, in a folder of its own. */
  async function editor(script: string) {
    const folder = await mkdtemp(join(tmpdir(), "etcdnet-editor-"));
    folders.push(folder);
    const path = join(folder, "editor.sh");
    await writeFile(path, script);
    // The text of `edit` is below the folder, so that a test sees whether it stays.
    return { folder, env: { VISUAL: "", EDITOR: `sh ${path}`, TMPDIR: folder, FOLDER: folder } };
  }
  const textsIn = async (folder: string): Promise<readonly string[]> =>
    (await readdir(folder)).filter((each) => each.startsWith("etcdnet-edit-"));

  it("edit saves the text of the editor, with the TTL, and creates a key", async () => {
    await client.setNode(`${top}/a`, "1", { ttl: 1000 });
    const { folder, env } = await editor('cat "$1"; echo 2 > "$1"');
    expect(await run(["edit", `${top}/a`], { env })).toEqual({
      code: 0,
      stdout: "12\n",
      stderr: "",
    });
    const { node } = await client.getNode(`${top}/a`);
    expect(node.value).toBe("2");
    expect(node.ttl).toBeGreaterThan(500);
    const again = await run(["edit", `${top}/a`], { env });
    expect(again.stderr).toBe("nothing was changed\n");
    expect((await run(["edit", `${top}/new`], { env })).code).toBe(0);
    expect(await client.getNodeValue(`${top}/new`)).toBe("2");
    expect(await textsIn(folder)).toEqual([]);
    const { stderr } = await run(["edit", top], { env });
    expect(stderr).toBe(`${top}: is a directory\nHint:   etcdnet ls ${top} lists it\n`);
  });

  it("edit opens both values after a conflict, and overwrites none", async () => {
    await client.setNode(`${top}/a`, "old");
    const { folder, env } = await editor(`
      if [ -e "$FOLDER/opened" ]; then cp "$1" "$FOLDER/both"; [ -e "$FOLDER/leave" ] || echo merged > "$1"; exit; fi
      echo ours > "$1"; touch "$FOLDER/opened"
      until [ -e "$FOLDER/changed" ]; do sleep 0.02; done`);
    const edit = startEtcdnet([...global(), "edit", `${top}/a`], { env });
    started.push(edit);
    await expect.poll(() => readdir(folder)).toContain("opened");
    await client.setNode(`${top}/a`, "theirs");
    await writeFile(join(folder, "changed"), "");
    expect(await edit.ended).toMatchObject({ code: 0, stdout: "merged\n" });
    expect(await readFile(join(folder, "both"), "utf8")).toBe(
      "<<<<<<< your text\nours\n=======\ntheirs\n>>>>>>> the value in etcd\n",
    );
    expect(await client.getNodeValue(`${top}/a`)).toBe("merged");
    expect(await textsIn(folder)).toEqual([]);
  });

  it("edit keeps the text in a file when the editor or etcd fails", async () => {
    await client.setNode(`${top}/a`, "old");
    const failing = await editor('echo precious > "$1"; exit 3');
    const { code, stderr } = await run(["edit", `${top}/a`], { env: failing.env });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ended with exit code 3; nothing/)]);
    const [, file = ""] = /^the text is in (.*)$/m.exec(stderr) ?? [];
    expect(await readFile(file, "utf8")).toBe("precious\n");
    expect(await client.getNodeValue(`${top}/a`)).toBe("old");

    const server = await startEmbeddedEtcd();
    const { folder, env } = await editor(`
      echo precious > "$1"; touch "$FOLDER/opened"
      until [ -e "$FOLDER/stopped" ]; do sleep 0.02; done`);
    const edit = startEtcdnet(["--endpoints", server.url, "edit", "/a"], { env });
    started.push(edit);
    await expect.poll(() => readdir(folder)).toContain("opened");
    await server.close();
    await writeFile(join(folder, "stopped"), "");
    const outcome = await edit.ended;
    expect(outcome.code).toBe(2);
    const [, kept = ""] = /^the text is in (.*)$/m.exec(outcome.stderr) ?? [];
    expect(await readFile(kept, "utf8")).toBe("precious\n");
  });

  it("watch prints records, and the time of each change", async () => {
    const after = String((await client.setNode("/elsewhere", "")).etcdIndex);
    const watch = (...args: readonly string[]) =>
      run(["watch", "-r", "--after-index", after, "--timestamps", ...args, top]);
    const { node } = await client.setNode(`${top}/a`, "two\nlines", { ttl: 1000 });
    const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
    expect((await watch()).stdout).toMatch(
      new RegExp(`^${time} \\[set\\] ${top}/a\ntwo\nlines\n$`),
    );
    const json = await watch("-o", "jsonl");
    expect(JSON.parse(json.stdout)).toMatchObject({
      time: expect.stringMatching(`^${time}$`),
      action: "set",
      node: { key: `${top}/a`, value: "two\nlines", modifiedIndex: node.modifiedIndex },
    });
    const yaml = await watch("-o", "yaml");
    expect(yaml.stdout).toMatch(/^---\ntime: /);
    expect(parse(yaml.stdout)).toMatchObject({ action: "set", node: { value: "two\nlines" } });
  });

  it("listings have a node or record on each line", async () => {
    await client.setNode(`${top}/a`, "1");
    await client.setNode(`${top}/d`, null, { dir: true });
    const lines = async (...args: readonly string[]) =>
      (await run(["-o", "jsonl", ...args])).stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    const nodes = [
      { key: top, dir: true },
      { key: `${top}/a`, value: "1" },
      { key: `${top}/d`, dir: true },
    ];
    expect(await lines("ls", "--sort", top)).toMatchObject(nodes);
    expect(await lines("tree", top)).toMatchObject(nodes);
    expect(await lines("member", "list")).toMatchObject([{ isLeader: true }]);
    expect(await lines("cluster-health")).toMatchObject([{ health: "healthy" }]);
    const doctor = await etcdnet(["doctor", "--data-dir", "/none", "-o", "jsonl"]);
    expect(JSON.parse(doctor.stdout)).toMatchObject({ id: "files-unreadable", severity: "blocks" });
    expect(parse((await run(["-o", "yaml", "ls", "--sort", top])).stdout)).toMatchObject(nodes);
  });
}
