import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import type { RunOptions, Started } from "../foreign/run.js";
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
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.5", args: ["--unsafe-no-fsync"] });
    client = new EtcdClient({ urls: etcd.urls, api });
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.stop();
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
    expect(await run(["wait", `${top}/a=2`, "--timeout", "100ms"])).toEqual({
      code: 4,
      stdout: "",
      stderr: `Error:  ${top}/a does not have the value 2 after 100 ms\n`,
    });
    const never = await run(["--endpoints", "http://127.0.0.1:1", "wait", `${top}/a`]);
    expect(never.code).toBe(2);
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
}
