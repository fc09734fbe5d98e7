import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../foreign/run.js";
import { etcdnet } from "./etcdnet.js";
import { cliSession } from "./session.js";

const NOBODY = "http://127.0.0.1:1";
const cli = cliSession();
let home = "";
let file = "";

beforeAll(async () => {
  await cli.etcd.setNode("/a", "root");
  for (const name of ["flag", "environment", "context"]) await cli.etcd.setNode(`/${name}/a`, name);
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "etcdnet-context-"));
  file = join(home, "etcdnet/contexts.json");
});
afterEach(() => rm(home, { recursive: true }));

/** Runs a command with the contexts of this test. */
const say = (line: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  etcdnet(line.split(" "), { env: { XDG_CONFIG_HOME: home, ...env } });

async function must(line: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await say(line, env);
  expect(code, stderr).toBe(0);
  return stdout;
}

describe("etcdnet context", () => {
  it("keeps contexts in a file for this user only, and lists and removes them", async () => {
    await must(`context add one --endpoints ${cli.url} --prefix /context`);
    await must("context add two --endpoints https://b:1 --api v3 --cacert ca.pem -u root");
    await must("context use one");
    expect(await must("context list")).toBe(`* one  ${cli.url}\n  two  https://b:1\n`);
    expect(await must("get /a")).toBe("context\n");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(home, "etcdnet"))).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(file, "utf8")).contexts.two.cacert).toBe(
      join(process.cwd(), "ca.pem"),
    );
    expect((await say("context add one --endpoints http://c:1")).stderr).toContain(
      "context one exists; use --overwrite to replace it",
    );
    await must("context add one --endpoints http://c:1 --overwrite");
    await must("context remove one");
    expect(await must("context list")).toBe("  two  https://b:1\n");
    expect((await say("context use one")).stderr).toContain("context one does not exist in ");
    expect(await readdir(join(home, "etcdnet"))).toEqual(["contexts.json"]);
  });

  it.each([
    ["-u root:s3cret", "--username contains a password; use password-file"],
    ["--endpoints http://root:s3cret@h:1", "--endpoints contains credentials"],
    ["", "no option was given"],
  ])("stores no password: %s", async (options, text) => {
    const { code, stderr } = await say(`context add one ${options}`.trim());
    expect([code, stderr]).toEqual([1, expect.stringContaining(text)]);
    expect(stderr).not.toContain("s3cret");
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  it("does not store what the environment says", async () => {
    const env = { ETCDNET_PREFIX: "/environment", ETCDNET_ENDPOINTS: NOBODY };
    await must(`context add one --endpoints ${cli.url}`, env);
    expect(JSON.parse(await readFile(file, "utf8")).contexts.one).toEqual({ endpoints: cli.url });
  });
});

describe("the order of precedence", () => {
  beforeEach(async () => {
    await must(`context add one --endpoints ${cli.url} --prefix /context`);
    await must("context use one");
  });

  it("is: command line, environment, context, default", async () => {
    const env = { ETCDNET_PREFIX: "/environment" };
    expect(await must("get /a --prefix /flag", env)).toBe("flag\n");
    expect(await must("get /a", env)).toBe("environment\n");
    expect(await must("get /a")).toBe("context\n");
    await must("context use --none");
    expect(await must("get /a", { ETCDNET_ENDPOINTS: cli.url })).toBe("root\n");
  });

  it("leaves out the current context when a cluster is named, but not a context that is named", async () => {
    expect(await must(`get /a --endpoints ${cli.url}`)).toBe("root\n");
    expect(await must("get /a", { ETCDCTL_ENDPOINTS: cli.url })).toBe("root\n");
    await must(`context add other --endpoints ${NOBODY} --prefix /context`);
    expect(await must(`get /a --context other --endpoints ${cli.url}`)).toBe("context\n");
    const env = { ETCDNET_CONTEXT: "other" };
    expect((await say("get /a", env)).code).toBe(2);
    expect(await must("get /a --context one", env)).toBe("context\n");
  });

  it("uses the password of a context for its own user only", async () => {
    await writeFile(join(home, "password"), "s3cret");
    const user = `-u root --password-file ${join(home, "password")}`;
    await must(`context add one --overwrite --endpoints ${cli.url} ${user}`);
    const { stderr } = await say("get /a -u other");
    expect(stderr).toContain("no password was given");
  });
});

describe("a mistake is named:", () => {
  it("a context that does not exist", async () => {
    const { code, stderr } = await say("get /a --context none");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/context none does not exist/)]);
  });

  it("a file of a context", async () => {
    await must("context add one --endpoints https://b:1 --cacert package.json");
    const { code, stderr } = await say("get /a --context one");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: {2}cacert of context one: contains no certificate in PEM/),
    ]);
  });

  it.each([
    ["", "line 1: is not JSON"],
    ['{\n  "contexts": {\n', "line 2: is not JSON"],
    ['{\n  "contexts": {\n    s3cret\n  }\n}', "line 3: is not JSON"],
    ["[]", "line 1: has no contexts"],
    ['{\n  "current": "x",\n  "contexts": {}\n}', "line 2: the current context does not exist"],
    ['{\n  "contexts": {\n    "a": "s3cret"\n  }\n}', "line 3: a is no context"],
    [
      '{\n  "contexts": {\n    "a": {\n      "api": "v2"\n    },\n    "b": {\n      "api": "v4"\n    }\n  }\n}',
      "line 7: api is not v2 or v3",
    ],
    [
      '{\n  "contexts": {\n    "a": {\n      "username": "root:s3cret"\n    }\n  }\n}',
      "line 4: username contains a password",
    ],
    [
      '{\n  "contexts": {\n    "a": {\n      "password": "s3cret"\n    }\n  }\n}',
      "line 4: password is not known",
    ],
  ])("a damaged file %j", async (text, problem) => {
    await mkdir(join(home, "etcdnet"), { recursive: true });
    await writeFile(file, text);
    for (const command of ["get /a", "context list"]) {
      const { code, stderr } = await say(command);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`${file}, ${problem}`)]);
      expect(stderr).toMatch(/^Error: {2}[^\n]+\n$/);
      expect(stderr).not.toContain("s3cret");
    }
    expect(await readFile(file, "utf8")).toBe(text);
  });
});
