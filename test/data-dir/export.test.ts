import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { readMemberData } from "../../src/data-dir/read-member-data.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { exportMember } from "../../src/transfer/export/export-member.js";
import { etcdnet, startEtcdnet } from "../cli/etcdnet.js";
import { hasTerminal, onTerminal } from "../cli/terminal.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

const scratch = mkdtempSync(join(tmpdir(), "etcdnet-data-dir-export-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describeWithEtcd("3.4", "etcdnet export --data-dir", () => {
  let etcd: EtcdCluster;
  let directory = "";
  let url = "";

  async function request(method: string, path: string, body?: URLSearchParams | string) {
    const response = await fetch(`${url}/v2/${path}`, {
      method,
      ...(body !== undefined && { body }),
    });
    return await response.text();
  }
  const set = (key: string, form: Readonly<Record<string, string>>) =>
    request("PUT", `keys${key}`, new URLSearchParams(form));

  beforeAll(async () => {
    buildIfStale();
    etcd = await startEtcd({ release: "3.4" });
    const [member] = etcd.members;
    [url, directory] = [member.url, member.dataDir];
    await set("/app/a", { value: "1" });
    await set("/app/_locks/l", { value: "held", ttl: "5000" });
    await set("/app/_locks/_deep/x", { value: "" });
    await set("/app/d/_other", { value: "2" });
    await set("/app/session", { dir: "true", ttl: "5000" });
    await set("/app/session/x", { value: "€" });
    // More than a pipe holds.
    await set("/elsewhere", { value: "3".repeat(500_000) });
    // Two keys in the log, which look equal as text.
    await set("/odd/%FF", { value: "4" });
    await set("/odd/%FE", { value: "5" });
    await set("/odd/plain", { value: "6" });
    const roles = { role: "r", permissions: { kv: { read: ["/*"], write: [] } } };
    await request("PUT", "auth/roles/r", JSON.stringify(roles));
    const user = { user: "bob", password: "s3cret", roles: ["r"] };
    await request("PUT", "auth/users/bob", JSON.stringify(user));
  });
  afterAll(() => etcd.stop());

  it("refuses the files of a running etcd, and options that do not fit", async () => {
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [["--data-dir", directory], /a running etcd uses .*: stop it, or copy the directory/],
      [["--data-dir", scratch], /is not the data directory of etcd: .*wal is missing/],
      [["--data-dir", directory, "--endpoints", url], /--endpoints is for a running cluster, and/],
      [["--data-dir", directory, "--hidden", "/_a"], /--hidden is not needed with --data-dir/],
      [["--at-stop"], /--at-stop needs --data-dir/],
    ];
    for (const [args, problem] of refusals) {
      const { code, stdout, stderr } = await etcdnet(["export", ...args]);
      expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(problem)]);
    }
  });

  it.runIf(hasTerminal)("says on a terminal that it reads the files", async () => {
    const { ended, printed } = onTerminal(["export", "--data-dir", scratch, "--file", "x"], {});
    expect([(await ended).code, printed()]).toEqual([
      1,
      expect.stringMatching(/^reading the files of the member\r[^\n]*wal is missing/),
    ]);
  });

  it("writes keys, hidden keys, users and roles, which import reads", async () => {
    await etcd.members[0].kill();
    const file = join(scratch, "app.jsonl");
    const env = { ETCDCTL_ENDPOINTS: url };
    const run = await etcdnet(["export", "/app", "--data-dir", directory, "--file", file], { env });
    expect(run).toEqual({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^read member [\da-f]+: the log up to entry \d+\n$/),
    });
    const text = await readFile(file, "utf8");
    const [header, ...entries] = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(header).toMatchObject({
      format: "etcdnet export",
      version: 1,
      keys: ["/app", "/app/_locks", "/app/d/_other"],
      auth: {
        enabled: false,
        users: [{ user: "bob", roles: ["r"] }],
        roles: [{ role: "r", permissions: { kv: { read: ["/*"], write: [] } } }],
      },
    });
    expect(text).not.toMatch(/s3cret|password|\$2a/);
    expect(entries.map(({ key }) => key)).toEqual([
      ...["/app", "/app/a", "/app/d", "/app/session", "/app/session/x"],
      ...["/app/_locks", "/app/_locks/_deep", "/app/_locks/_deep/x", "/app/_locks/l"],
      ...["/app/d/_other", undefined],
    ]);
    expect(entries[8].ttl).toBeGreaterThan(4_000);

    const counts: number[] = [];
    const onProgress = (exported: number): void => void counts.push(exported);
    const options = { time: Date.now(), onProgress };
    const { pieces, total } = exportMember(readMemberData(directory), "/app", options);
    for await (const _ of pieces);
    expect([counts, total]).toEqual([[10], 10]);

    await using target = await startEmbeddedEtcd();
    const imported = await etcdnet(["--endpoints", target.url, "import", file]);
    expect([imported.code, imported.stderr]).toEqual([
      0,
      "10 keys and directories were written\n" +
        "1 users and 1 roles in the export were not written, because it has no passwords: create them " +
        "with etcdnet role and etcdnet user\n",
    ]);
    const tree = await etcdnet(["--endpoints", target.url, "ls", "-r", "/app/_locks"]);
    expect(tree.stdout).toContain("/app/_locks/l\n");
  });

  it("says at once what SIGINT ends", async () => {
    const pipe = join(scratch, "pipe");
    execFileSync("mkfifo", [pipe]);
    const args = ["export", "/elsewhere", "--data-dir", directory, "--file", pipe];
    const { child, ended } = startEtcdnet(args);
    const reader = createReadStream(pipe);
    await once(reader, "readable");
    child.kill("SIGINT");
    const { stderr } = await ended;
    reader.destroy();
    // The write to the pipe cannot end.
    expect([child.signalCode, stderr]).toEqual([
      "SIGINT",
      "SIGINT: ending the export; the file is left unchanged; Ctrl-C again ends the command at once\n",
    ]);
  });

  it("names a key that does not exist", async () => {
    const { code, stderr } = await etcdnet(["export", "/none", "--data-dir", directory]);
    expect([code, stderr]).toEqual([
      4,
      expect.stringMatching(/^Error: {2}100: Key not found \(\/none\)/),
    ]);
  });

  it("refuses keys that are not UTF-8, or omits them with --lossy", async () => {
    const refused = await etcdnet(["export", "/odd", "--data-dir", directory]);
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([
      1,
      "",
      expect.stringMatching(
        /Error: {2}not everything can be copied as it is: "\/odd\/\ufffd" is not UTF-8.*--lossy/,
      ),
    ]);
    const lossy = await etcdnet(["export", "/odd", "--data-dir", directory, "--lossy"]);
    expect([lossy.code, lossy.stderr]).toEqual([0, expect.stringContaining("/odd/\ufffd is not")]);
    expect(lossy.stdout.match(/"key":"[^"]+"/g)).toEqual(['"key":"/odd"', '"key":"/odd/plain"']);
    const bytes = readMemberData(directory).store.nodes.map(([path]) => path);
    expect(bytes.filter((path) => path.startsWith("/1/odd/"))).toEqual([
      ...["/1/odd/\u00ff", "/1/odd/\u00fe", "/1/odd/plain"],
    ]);
  });

  it("leaves out what has expired, with everything below it", async () => {
    const data = readMemberData(directory);
    const keysAt = async (time: number) => {
      const { pieces, expired } = exportMember(data, "/", { time, lossy: true });
      let text = "";
      for await (const piece of pieces) text += piece;
      return { expired, keys: text.match(/"key":"[^"]+"/g)?.length };
    };
    expect(await keysAt(data.stoppedAt)).toEqual({ expired: 0, keys: 13 });
    expect(await keysAt(data.stoppedAt + 6_000_000)).toEqual({ expired: 3, keys: 10 });
  });
});
