import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { certificateAuthority, serverCertificate } from "../support/certificates.js";
import { Cli } from "../support/cli-process.js";
import { get, RawClient } from "./raw-client.js";

let directory = "";

beforeAll(async () => {
  buildIfStale();
  directory = await mkdtemp(join(tmpdir(), "etcdnet-cli-"));
});

afterAll(() => rm(directory, { recursive: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

const serve = (...args: readonly string[]): Cli => new Cli("serve", "--port", "0", ...args);

describe("etcdnet serve", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("serves until %s and keeps its data", async (signal) => {
    const data = join(directory, signal);
    await using first = serve("--data", data);
    const url = await first.url();
    expect(first.stdout).toBe(`listening on ${url}\n`);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await using client = new EtcdClient({ urls: [url] });
    await client.setNode("/a", "kept");
    const watch = new RawClient(url).send(get("/v2/keys/b?wait=true"));
    await watch.got(/\r\n\r\n/);
    first.kill(signal);
    expect(await first.exit).toBe(0);
    expect(await watch.ended()).toMatch(/\r\n0\r\n\r\n$/);
    expect(first.stderr).not.toMatch(/WARN {2}listening|ERROR/);
    expect(await readFile(data, "utf8")).toContain('"kept"');
  });

  it("ends at once on a second signal", async () => {
    await using cli = serve();
    using upload = new RawClient(await cli.url());
    const type = "Content-Type: application/x-www-form-urlencoded";
    upload.send(`PUT /v2/keys/a HTTP/1.1\r\nHost: localhost\r\n${type}\r\nContent-Length: 9\r\n`);
    upload.send("Expect: 100-continue\r\n\r\n");
    await upload.got(/100 Continue/);
    cli.kill("SIGINT");
    await expect
      .poll(() => new RawClient(urlOf(cli)).ended().then(() => "refused"))
      .toBe("refused");
    cli.kill("SIGTERM");
    expect(await cli.exit).toBe("SIGTERM");
  });

  it("still serves for the time of --shutdown-delay, but is not ready", async () => {
    await using cli = serve("--shutdown-delay", "10m");
    const url = await cli.url();
    cli.kill("SIGTERM");
    const ready = async () => (await fetch(`${url}/readyz`)).status;
    await expect.poll(ready, { timeout: 60_000 }).toBe(503);
    const body = new URLSearchParams({ value: "1" });
    expect((await fetch(`${url}/v2/keys/a`, { method: "PUT", body })).status).toBe(201);
    cli.kill("SIGTERM");
    expect(await cli.exit).toBe("SIGTERM");
  });

  it("serves with TLS and auth", async () => {
    const { cert, key } = serverCertificate();
    await using cli = serve(
      ...["--cert", await fileOf("cert.pem", cert)],
      ...["--key", await fileOf("key.pem", key)],
      ...["--auth-root-password-file", await fileOf("password", "secret\n")],
      ...["--host", "0.0.0.0"],
    );
    const url = (await cli.url()).replace("0.0.0.0", "127.0.0.1");
    const ca = certificateAuthority().cert;
    await using root = new EtcdClient({ urls: [url], ca, username: "root", password: "secret" });
    await root.setNode("/a", "1");
    await using guest = new EtcdClient({ urls: [url], ca });
    await expect(guest.getNode("/a")).rejects.toMatchObject({ errorCode: 110 });
    expect(cli.stderr).not.toMatch(/WARN {2}listening|ERROR/);
  });

  it("warns when it listens on all addresses without TLS and auth", async () => {
    await using cli = serve("--host", "0.0.0.0");
    await cli.url();
    const without = "without TLS (--cert, --key) and auth (--auth-root-password-file)";
    expect(cli.stderr).toContain(` WARN  listening ${without} host=0.0.0.0\n`);
  });

  it("shows an example in its help", async () => {
    const help = new Cli("serve", "--help");
    expect(await help.exit).toBe(0);
    expect(help.stdout).toContain("etcdnet serve --port 2379 --data etcd.snapshot");
  });
});

describe("etcdnet serve refuses, in one line,", () => {
  it("a port in use", async () => {
    await using cli = serve();
    const { port } = new URL(await cli.url());
    const second = new Cli("serve", "--port", port);
    expect(await second.exit).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(
        `^Error:  .*address already in use 127.0.0.1:${port}; choose another port with --port\n$`,
      ),
    );
  });

  it("a data file that is not a snapshot", async () => {
    const data = await fileOf("data", "something else");
    const cli = serve("--data", data);
    expect(await cli.exit).toBe(1);
    expect(cli.stderr).toMatch(
      /^Error: {2}snapshot file \S+ is not a snapshot of this version.*\n$/,
    );
    expect(await readFile(data, "utf8")).toBe("something else");
  });

  it.concurrent.each([
    [["--port", "65536"], "--port"],
    [["--port", "1e3"], "--port"],
    [["--port", ""], "--port"],
    [["--port"], "--port"],
    [["--host", ""], "--host"],
    [["--host", "no.such.host.invalid"], "no.such.host.invalid"],
    [["--dta", "x"], "--dta"],
    [["--data", ""], "--data"],
    [["--data", "missing/directory/file"], "missing/directory/file"],
    [["--cert", "x"], "--key"],
    [["--key", "x"], "--cert"],
    [["--client-ca", "x"], "--client-ca"],
    [["--cert", "missing.pem", "--key", "x"], "--cert missing.pem"],
    [["--cert", "package.json", "--key", "package.json"], "--cert package.json"],
    [["--auth-root-password-file", "missing"], "--auth-root-password-file missing"],
    [["--auth-root-password-file", "/dev/null"], "--auth-root-password-file /dev/null"],
    [["--cors", "ui.example"], "--cors: "],
    [["--allowed-hosts", "etcd:2379"], "--allowed-hosts: "],
    [["extra"], "argument"],
  ])("%s", async (args, named) => {
    const cli = serve(...args);
    expect(await cli.exit).toBe(1);
    expect(cli.stderr).toMatch(/^Error: {2}[^\n]*\n$/);
    expect(cli.stderr).toContain(named);
    expect(cli.stdout).toBe("");
  });
});

function urlOf({ stdout }: Cli): string {
  return stdout.replace("listening on ", "").trim();
}
