import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import type { Outcome } from "../foreign/run.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "../v3/v3-tools.js";
import { etcdnet } from "./etcdnet.js";

describeWithEtcd("3.7", "the past and contexts of two sides, on the command line", () => {
  let etcd: EtcdCluster;
  let home = "";
  beforeAll(async () => {
    buildIfStale();
    etcd = await startEtcd({ release: "3.7" });
    home = await mkdtemp(join(tmpdir(), "etcdnet-past-"));
  });
  afterAll(async () => {
    await etcd?.stop();
    await rm(home, { recursive: true });
  });
  const say = (line: string, input?: string): Promise<Outcome> => {
    const env = { ETCDNET_ENDPOINTS: etcd.urls[0], ETCDNET_API: "v3", XDG_CONFIG_HOME: home };
    return etcdnet(line.split(" "), { env, ...(input !== undefined && { input }) });
  };
  const must = async (line: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await say(line, input);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  };
  /** The index after which a command has changed something. */
  const indexOf = async (line: string): Promise<number> =>
    JSON.parse(await must(`${line} -o json`)).node.modifiedIndex;

  it("shows a history, earlier states and their differences, and puts a removed tree back", async () => {
    const first = await indexOf("set /p/d/a 1");
    const second = await indexOf("set /p/d/a 2 --ttl 1000");
    await must("rm -r --yes /p");
    const history = await must("history /p/d/a");
    expect(history.replace(/expires [\dTZ:.-]+/, "expires TIME")).toBe(
      `${first}  set               + "1"\n` +
        `${second}  set               ~ "1" → "2" (expires TIME)\n` +
        `${second + 1}  delete            - "2" (by /p)\n`,
    );
    const lines = (await must("history /p/d/a -o jsonl")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { index: first, action: "set", node: { value: "1" } },
      { index: second, action: "set", node: { value: "2" }, prevNode: { value: "1" } },
      { index: second + 1, action: "delete", by: "/p", prevNode: { value: "2" } },
    ]);
    expect(JSON.parse(await must("history /p/d/a -o json --last 2"))).toEqual(
      lines.slice(1).map((line) => JSON.parse(line)),
    );
    const below = await must("history --recursive /p");
    expect(below.replace(/expires [\dTZ:.-]+/, "expires TIME")).toBe(
      `${first}  create            + /p/\n` +
        `${first}  create            + /p/d/\n` +
        `${first}  set               + /p/d/a = "1"\n` +
        `${second}  set               ~ /p/d/a = "1" → "2" (expires TIME)\n` +
        `${second + 1}  delete            - /p/\n` +
        `${second + 1}  delete            - /p/d/ (by /p)\n` +
        `${second + 1}  delete            - /p/d/a = "2" (by /p)\n`,
    );
    expect(await must("history -r /p/d -o table --last 1")).toMatch(
      /^INDEX +ACTION +KEY +VALUE +PREVIOUS +EXPIRES +BY\n\d+ +delete +\/p\/d\/a +"2" +\/p\n$/,
    );
    expect((await must("history -r /p -o jsonl")).trimEnd().split("\n")).toHaveLength(7);
    expect(await must(`get --at ${first} /p/d/a`)).toBe("1\n");
    expect(await must(`ls -r -p --sort --at ${first} /p`)).toBe("/p/d/\n/p/d/a\n");
    expect(await must(`grep --at ${first} 1 /p`)).toBe("/p/d/a: 1\n");
    expect(await say(`diff --at ${first} /p`)).toMatchObject({
      code: 1,
      stdout: '- /p/\n- /p/d/\n- /p/d/a = "1"\n',
    });
    const between = await say(`diff --at ${first} --at ${second} /p -o jsonl`);
    expect(JSON.parse(between.stdout)).toMatchObject({
      change: "changed",
      key: "/p/d/a",
      before: { value: "1" },
      after: { value: "2" },
    });
    const tree = await must(`get -r --at ${first} /p`);
    expect((await say("apply --file -", tree)).code).toBe(0);
    expect(await must("get /p/d/a")).toBe("1\n");
    expect(await must(`diff --at ${first} /p`)).toBe("");
  });

  it("says what is gone, what is missing and what the v2 API cannot do", async () => {
    await must("set /q 1");
    const compacted = await indexOf("set /q 2");
    await must("set /q 3");
    const tool = new V3Tool(etcd.urls);
    await tool.ask("kv/compaction", { revision: compacted });
    tool.close();
    expect(await say("history /q")).toEqual({
      code: 0,
      stdout:
        `${compacted}  compacted         = "2"\n` +
        `${compacted + 1}  set               ~ "2" → "3"\n`,
      stderr: `etcd has compacted its history: changes up to index ${compacted} are gone\n`,
    });
    expect(await say("history /none")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(`etcd has no change of /none since index ${compacted + 1}\n`),
    });
    expect(await say("get --at 2 /q")).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(
        `cleared \\[${compacted}/2\\]\\).*\nHint: {3}etcd has compacted`,
      ),
    });
    for (const line of ["history /q", "get --at 2 /q", "diff --at 2"]) {
      expect(await say(`${line} --api v2`)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/needs --api v3: .*\nHint: {3}etcdnet watch/),
      });
    }
  });

  it("says how large a value may be", async () => {
    const { code, stderr } = await say("set /large", "x".repeat(3_000_000));
    expect([code, stderr]).toEqual([4, expect.stringMatching(/\nHint: {3}etcd accepts requests/)]);
  });

  it("refuses options of the other kind of diff", async () => {
    for (const [line, text] of [
      ["diff", "required option '--from <urls>' not specified; or use --from-context"],
      ["diff --from x", "required option '--to <urls>' not specified; or use --to-context"],
      ["diff --at 3 --from x", "--from does not go with --at"],
      ["get --at 0 /a", "argument '0' is invalid. It must be 1 or more."],
      ["get --at 9007199254740993 /a", "is invalid. It is too large."],
      ["apply --file /none", "Error:  /none: no such file or directory\n"],
      ["diff --at 1 --at 2 --at 3", "--at can be given once or twice"],
      ["diff --from x --to x --api v3", "--api is not an option for two clusters"],
      ["--api v3 diff --from x --to x", "--api is not a global option of etcdnet diff"],
      ["diff --from x --to x /a", "a key needs --at; use --prefix /a"],
    ] as const) {
      const { code, stderr } = await say(line);
      expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
    }
  });

  it("compares and copies between two contexts, below their directories", async () => {
    const url = etcd.urls[0];
    await say(`context add old --endpoints ${url} --api v3 --prefix /apps`);
    await say(`context add new --endpoints ${url} --api v3 --prefix /elsewhere`);
    await must("set --context old /mail/port 25");
    const sides = "--from-context old --to-context new";
    expect(await say(`diff ${sides} -o jsonl`)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^\{"kind":"missing","entry":\{"key":"\/mail","dir":true/),
    });
    expect((await say(`diff ${sides} -o table`)).stdout).toMatch(
      /^DIFFERENCE {2}KEY +SOURCE +TARGET\nmissing +\/mail +directory\nmissing +\/mail\/port +"25"\n$/,
    );
    expect(await say(`migrate ${sides} --to-prefix /copy`)).toMatchObject({ code: 0 });
    expect(await must("get /elsewhere/copy/mail/port")).toBe("25\n");
    expect(await say(`diff ${sides} --to-prefix /copy -o json`)).toMatchObject({
      code: 0,
      stdout: "[]\n",
    });
    expect((await say(`diff ${sides} --prefix /mail`)).stdout).toBe("- /port\n");
    const { code, stderr } = await say("diff --from-context none --to-context new");
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("--from-context: none does not exist; etcdnet context list"),
    ]);
  });
});
