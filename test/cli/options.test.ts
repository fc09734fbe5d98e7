import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { run } from "../foreign/run.js";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";
import { MAIN } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { inBatches } from "../support/in-batches.js";
import { etcdnet } from "./etcdnet.js";
import { cliSession } from "./session.js";

const NOBODY = "http://127.0.0.1:1";
const cli = cliSession();
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-cli-"));
  await cli.etcd.setNode("/app/a", "1");
});

afterAll(() => rm(directory, { recursive: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

describe("options of all commands", () => {
  it("can be before or after the command, and the last one counts", async () => {
    expect(await cli.print("--endpoints", cli.url, "get", "/app/a")).toBe("1\n");
    expect(await cli.print("get", "/app/a", "--endpoints", cli.url)).toBe("1\n");
    expect(await cli.print("--endpoints", NOBODY, "get", "--endpoints", cli.url, "/app/a")).toBe(
      "1\n",
    );
    expect(await cli.print("-o", "json", "member", "list", "-o", "simple")).toContain("name=");
  });

  it("refuse a password in an endpoint, with advice and without repeating it", async () => {
    const { code, stderr } = await etcdnet(["--endpoints", "http://a:s3cret@host:1", "get", "/a"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/contains credentials; pass them as --username and --password-file/);
    expect(stderr).not.toContain("s3cret");
  });

  it.each([["cutover", "flip"], ["console"]])(
    "name the options of the v2 cluster when it has a password in a URL: %s",
    async (...command) => {
      const source = ["--api", "v3", "--source", "http://a:s3cret@host:1"];
      const { code, stderr } = await etcdnet([...command, ...source]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/--source: .*as --source-username and --source-password-file/);
      expect(stderr).not.toContain("s3cret");
    },
  );

  it.each(["--endpoints", "--endpoint", "--peers", "-C"])(
    "set the endpoints with %s",
    async (name) => {
      const { stdout } = await etcdnet([name, cli.url, "get", "/app/a"]);
      expect(stdout).toBe("1\n");
    },
  );

  it.each(["ETCDNET_ENDPOINTS", "ETCDCTL_ENDPOINTS", "ETCDCTL_ENDPOINT", "ETCDCTL_PEERS"])(
    "can be set in the environment: %s",
    async (name) => {
      const { stdout } = await etcdnet(["get", "/app/a"], { env: { [name]: cli.url } });
      expect(stdout).toBe("1\n");
    },
  );

  it("come from the command line first, then from ETCDNET_, then from ETCDCTL_", async () => {
    const env = { ETCDNET_ENDPOINTS: cli.url, ETCDCTL_ENDPOINTS: NOBODY, ETCDNET_PREFIX: "" };
    expect((await etcdnet(["get", "/app/a"], { env })).stdout).toBe("1\n");
    const wrong = { ETCDNET_ENDPOINTS: NOBODY, ETCDNET_DISCOVERY_SRV: "none.invalid" };
    for (const name of ["--endpoints", "--peers"]) {
      const { stdout } = await etcdnet(["get", "/app/a", name, cli.url], { env: wrong });
      expect(stdout).toBe("1\n");
    }
  });

  it("warn about mistyped variables, but not about those of other commands", async () => {
    const env = {
      ...{ ETCDNET_ENDPOINTS: cli.url, ETCDNET_ENDPIONTS: NOBODY, ETCDNET_LISTEN_CERT: "a" },
      ETCDNET_PASSWORD: "s3cret",
    };
    expect(await etcdnet(["get", "/app/a"], { env })).toEqual({
      code: 0,
      stdout: "1\n",
      stderr:
        "warning: ETCDNET_ENDPIONTS is not a variable of etcdnet get; did you mean ETCDNET_ENDPOINTS?\n" +
        "warning: ETCDNET_PASSWORD is not a variable of etcdnet get; did you mean ETCDNET_PASSWORD_FILE?\n",
    });
  });

  it("accept endpoints without http://, and continue at the next one", async () => {
    const endpoints = `127.0.0.1:1,${cli.url.replace("http://", "")}`;
    expect(await cli.print("--endpoints", endpoints, "get", "/app/a")).toBe("1\n");
  });

  it("restrict commands to a prefix, and print keys without it", async () => {
    expect(await cli.print("--prefix", "/app", "ls")).toBe("/a\n");
    expect(await cli.print("get", "a", "--prefix", "app")).toBe("1\n");
    const { stderr } = await cli.run(["--prefix", "/app", "get", "/b"]);
    expect(stderr).toMatch(/^Error: {2}100: Key not found \(\/b\) \[\d+\]\n$/);
  });

  it("take durations and numbers of seconds", async () => {
    const env = { ETCDNET_TOTAL_TIMEOUT: "60" };
    for (const timeout of ["2", "2.5", "2s"]) {
      const { code } = await cli.run(["--timeout", timeout, "get", "/app/a"], { env });
      expect(code).toBe(0);
    }
    for (const ttl of ["900", "900s", "15m"]) {
      await cli.print("set", "/app/ttl", "1", "--ttl", ttl);
      expect((await cli.etcd.getNode("/app/ttl")).node.ttl).toBeGreaterThan(800);
      expect((await cli.etcd.getNode("/app/ttl")).node.ttl).toBeLessThanOrEqual(900);
    }
  });

  it("of etcdctl are accepted", async () => {
    expect(
      await cli.print("--no-sync", "--timeout", "2s", "--total-timeout", "1m", "get", "/app/a"),
    ).toBe("1\n");
  });

  it("authenticate with a user name and a password file", async () => {
    await using server = await startEmbeddedEtcd({ rootPassword: "secret:with colon" });
    const password = await fileOf("password", "secret:with colon\n");
    const logIn = ["--username", "root", "--password-file", password];
    const set = await etcdnet(["--endpoints", server.url, ...logIn, "set", "/a", "1"]);
    expect(set).toEqual({ code: 0, stdout: "1\n", stderr: "" });
    const asked = await etcdnet(["--endpoints", server.url, "-u", "root", "get", "/a"], {
      input: "secret:with colon\n",
    });
    expect(asked).toEqual({ code: 0, stdout: "1\n", stderr: "" });
    const guest = await etcdnet(["--endpoints", server.url, "get", "/a"]);
    expect(guest.code).toBe(4);
  });

  it("trust the given authority", async () => {
    const { cert, key } = serverCertificate();
    await using server = await startEmbeddedEtcd({ tls: { cert, key } });
    const ca = await fileOf("ca.pem", certificateAuthority().cert);
    for (const trust of [
      ["--cacert", ca],
      ["--ca-file", ca],
    ]) {
      const { code, stderr } = await etcdnet(["--endpoints", server.url, ...trust, "ls"]);
      expect([code, stderr]).toEqual([0, ""]);
    }
    const env = { ETCDCTL_CA_FILE: ca, ETCDCTL_ENDPOINTS: server.url };
    expect((await etcdnet(["ls"], { env })).code).toBe(0);
    expect((await etcdnet(["--endpoints", server.url, "ls"])).code).toBe(2);
  });
});

describe("output", () => {
  it("can be a table", async () => {
    const { node } = await cli.etcd.setNode("/table/a\nb", "1\n2", { ttl: 1000 });
    const index = String(node.modifiedIndex);
    expect((await cli.print("ls", "-o", "table", "/table")).split("\n")).toEqual([
      expect.stringMatching(/^KEY +VALUE +CREATED +MODIFIED +TTL$/),
      expect.stringMatching(new RegExp(`^/table/ +${index} +${index}$`)),
      expect.stringMatching(
        new RegExp(`^/table/a\\\\nb +1\\\\n2 +${index} +${index} +(?:1000|9\\d\\d)$`),
      ),
      "",
    ]);
    expect(await cli.print("member", "list", "-o", "table")).toMatch(/^ID +NAME +PEER URLS +/);
    expect(JSON.parse(await cli.print("member", "list", "-o", "json"))).toHaveLength(1);
  });

  it("can be a tree", async () => {
    await cli.etcd.setNode("/tree/a/b", "1");
    await cli.etcd.setNode("/tree/a/c", "two\nlines");
    await cli.etcd.setNode("/tree/d", null, { dir: true });
    await cli.etcd.setNode("/tree/e", "", { ttl: 1000 });
    const tree = await cli.print("tree", "/tree", "--values");
    expect(tree.replace(/\(9\d\d s\)/, "(1000 s)")).toBe(
      [
        "/tree/",
        "├── a/",
        '│   ├── b = "1"',
        '│   └── c = "two\\nlines"',
        "├── d/",
        '└── e = "" (1000 s)',
        "",
      ].join("\n"),
    );
    expect(await cli.print("tree", "/tree/a/b")).toBe("/tree/a/b\n");
  });

  it("has colors only with the option", async () => {
    const coloured = await cli.run(["tree", "/tree"], { env: { FORCE_COLOR: "1" } });
    expect(coloured.stdout).toContain("\u001b[");
    for (const env of [{}, { NO_COLOR: "1" }]) {
      const plain = await cli.run(["tree", "/tree"], { env });
      expect(plain.stdout).not.toContain("\u001b[");
    }
  });

  it("ends without an error when its reader is gone", async () => {
    const directoryOf = (index: number) => `/wide/${"x".repeat(100)}${index}`;
    await inBatches(3_000, (index) => cli.etcd.setNode(directoryOf(index), ""));
    const { child, ended } = cli.start("ls", "-r", "/wide");
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect(await ended).toMatchObject({ code: 141, stderr: "" });
  });
});

describe("errors are one line:", () => {
  it("standard output that cannot be written", async () => {
    const { code, stderr } = await run("sh", [
      "-c",
      `${process.execPath} ${MAIN} --endpoints ${cli.url} get /app/a > /dev/full`,
    ]);
    expect([code, stderr]).toEqual([
      1,
      "Error:  standard output: ENOSPC: no space left on device, write\n",
    ]);
  });

  it.concurrent.each([
    [["get"], 1, "key required: etcdnet get [options] <key>"],
    [["member", "update", "x"], 1, "peerURLs required: etcdnet member update"],
    [["get", "a", "b"], 1, "too many arguments"],
    [["gte", "a"], 1, "unknown command 'gte' (Did you mean get?)"],
    [["help", "gte"], 1, "unknown command 'gte' (Did you mean get?)"],
    [["help", "cutover", "flop"], 1, "unknown command 'flop' (Did you mean flip?)"],
    [["cutover", "help", "frobnicate"], 1, "unknown command 'frobnicate'\n"],
    [["cutover", "frobnicate"], 1, "unknown command 'frobnicate'\n"],
    [["gte", "--help"], 1, "unknown command 'gte' (Did you mean get?)"],
    [["context", "ad", "--help"], 1, "unknown command 'ad' (Did you mean add?)"],
    [["help", "--all"], 1, "unknown option '--all'"],
    [["cutover", "flip", "--typo"], 1, "unknown option '--typo'"],
    [["role", "grant", "r", "--pat", "/a"], 1, "unknown option '--pat' (Did you mean --path?)"],
    [["role", "grant", "r"], 1, "required option '--path <pattern>' not specified"],
    [["get", "--qorum", "a"], 1, "unknown option '--qorum' (Did you mean --quorum?)"],
    [["-o", "xml", "get", "a"], 1, "simple, extended, json, jsonl, yaml, table"],
    [["--api", "v4", "get", "a"], 1, "v2, v3"],
    [["--timeout", "2d", "get", "a"], 1, "a duration such as 500ms, 2s or 1m30s"],
    [["--timeout", "2s5", "get", "a"], 1, "a duration such as"],
    [["set", "a", "b", "--ttl", "-1"], 1, "a whole number"],
    [["set", "a", "b", "--ttl", "1.5"], 1, "a whole number"],
    [["set", "a"], 1, "value required: etcdnet set KEY VALUE, or give it on standard input"],
    [["--endpoints", "ftp://127.0.0.1", "get", "a"], 1, "must begin with http:// or https://"],
    [["--endpoints", "", "get", "a"], 1, "--endpoints: is not a URL; write it as http://host:port"],
    [["--endpoints", NOBODY, "get", "a"], 2, "no member returned a usable response"],
    [["--endpoints", NOBODY, "watch", "-f", "a"], 2, "no member returned a usable response"],
    [["--endpoints", NOBODY, "elect", "--listen", "/e"], 2, "no member returned a usable response"],
    [["--password-file", "x", "get", "a"], 1, "--password-file needs --username"],
    [["-u", "x", "--password-file", "missing", "get", "a"], 1, "--password-file missing: ENOENT"],
    [
      ["-u", "x:y", "--password-file", "package.json", "get", "a"],
      1,
      "--username already contains a password",
    ],
    [["-u", "x", "get", "a"], 1, "no password was given; use --password-file"],
    [["--cert", "x", "get", "a"], 1, "--cert needs --key"],
    [["--key", "x", "get", "a"], 1, "--key needs --cert"],
    [["--cacert", "package.json", "get", "a"], 1, "--cacert: contains no certificate in PEM"],
    [["exec-watch", "a", "sh", "-c", "true"], 1, "unknown option '-c'"],
    [
      ["--endpoints", NOBODY, "gateway"],
      1,
      "--endpoints is not a global option of etcdnet gateway; write it after etcdnet gateway",
    ],
    [
      ["--prefix", "/a", "migrate", "--from", NOBODY, "--to", NOBODY],
      1,
      "write it after etcdnet migrate",
    ],
    [["--username", "x:secret", "serve"], 1, "see etcdnet serve --help"],
    [["--debug", "completion", "bash"], 1, "see etcdnet completion --help"],
    [["lock", "a", "--ttl", "0", "--", "true"], 1, "ttl"],
    [["lock", "/locks/x", "--", "no-such-program"], 1, "no-such-program: cannot be run"],
    [["register", "/services/x", "a/b"], 1, "id: must be a name"],
    [["register", "/services/x", "a", "--metadata", "{"], 1, "must be JSON"],
    [["role", "grant", "r", "--path", "/x"], 1, "exactly one of --read, --write or --readwrite"],
    [["completion", "tcsh"], 1, "bash, zsh, fish"],
  ])("%j", async (args, code, text) => {
    const outcome = await cli.run(args);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(/^[^\n]+\n$/);
    expect(outcome.stderr).toContain(text);
    expect(outcome.stdout).toBe("");
  });

  it.concurrent.each([
    [{ ETCDNET_OUTPUT: "xml" }, "ETCDNET_OUTPUT is invalid. Allowed choices are simple"],
    [{ ETCDNET_TIMEOUT: "2d" }, "ETCDNET_TIMEOUT is invalid. It must be a duration such as"],
    [{ ETCDNET_DEBUG: "yes" }, "ETCDNET_DEBUG is invalid. It must be true or false."],
    [{ ETCDNET_CACERT: "package.json" }, "ETCDNET_CACERT: contains no certificate in PEM"],
    [{ ETCDCTL_CERT_FILE: "x" }, "ETCDCTL_CERT_FILE needs --key"],
    [{ ETCDNET_KEY_PREFIX: "/a" }, "ETCDNET_KEY_PREFIX needs --api v3"],
    [{ ETCDNET_ENDPOINTS: "http://a:s3cret@b" }, "pass them as --username and --password-file"],
  ])("%j", async (env, text) => {
    const outcome = await etcdnet(["get", "a"], { env });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^[^\n]+\n$/);
    expect(outcome.stderr).toContain(text);
    expect(outcome.stderr).not.toContain("s3cret");
  });

  it("a value that is not UTF-8", async () => {
    const { stderr } = await run("sh", [
      "-c",
      `printf '\\377' | ${process.execPath} ${MAIN} set /bytes`,
    ]);
    expect(stderr).toBe("Error:  value: is not UTF-8; encode it, e.g. with base64\n");
  });

  it("and with --debug its origin", async () => {
    const { stderr } = await cli.run(["--debug", "--endpoints", NOBODY, "get", "a"]);
    expect(stderr).toMatch(/^Error: {2}[^\n]+\nClusterUnavailableError[\s\S]+ {4}at /);
    expect(stderr).toContain("ECONNREFUSED");
  });
});

describeWithEtcd("3.4", "a cluster that serves v3 only", () => {
  it("is reported with --api v2, with advice", async () => {
    await using etcd = await startEtcd({ release: "3.4", v2: false });
    const { code, stderr } = await etcdnet(["--endpoints", etcd.urls[0], "get", "/a"]);
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /^Error: {2}[^\n]*the v2 API is not served at [^\n]*set --api to "v3"[^\n]*\n$/,
    );
  });
});

describe("help", () => {
  it("lists all commands, each with an example", async () => {
    const help = await cli.print("--help");
    const names = [...help.matchAll(/^ {2}([a-z][a-z-]+) .*$/gm)]
      .map(([, name = ""]) => name)
      .slice(0, -1);
    expect(names).toContain("exec-watch");
    const helps = await Promise.all(names.map((name) => cli.print(name, "--help")));
    for (const [index, text] of helps.entries()) {
      expect(text).toMatch(/^Usage: etcdnet /);
      if (!text.includes("Commands:")) expect(text, names[index]).toContain("Example:\n  etcdnet ");
    }
  });

  it("is that of the named command, however it is asked for", async () => {
    const help = await cli.print("cutover", "flip", "--help");
    expect(help).toMatch(/^Usage: etcdnet cutover flip /);
    expect(await cli.print("help", "cutover", "flip")).toBe(help);
    expect(await cli.print("cutover", "help", "flip")).toBe(help);
    expect(await cli.print("help")).toBe(await cli.print("--help"));
    expect(await cli.print("help", "get", "/a")).toBe(await cli.print("get", "--help"));
    expect(await cli.print("help", "help")).toMatch(/^Usage: etcdnet help /);
  });

  it("prints the version", async () => {
    expect(await cli.print("--version")).toMatch(/^etcdnet \d+\.\d+\.\d+\n$/);
  });
});
