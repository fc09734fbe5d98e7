import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import {
  certificateAuthority,
  clientCertificate,
  nextAuthority,
  nextServerCertificate,
  serverCertificate,
} from "../support/certificates.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { enableAuth, ROOT } from "../v3/v3-auth.js";
import { V3Tool } from "../v3/v3-tools.js";

let directory = "";

beforeAll(async () => {
  buildIfStale();
  directory = await mkdtemp(join(tmpdir(), "etcdnet-reload-"));
});

afterAll(() => rm(directory, { recursive: true }));

const at = (name: string): string => join(directory, name);

/** Replaces a file as Kubernetes and cert-manager do: atomically. */
async function replace(name: string, text: string): Promise<void> {
  await writeFile(at(`${name}.new`), text);
  await rename(at(`${name}.new`), at(name));
}

describeWithEtcd("3.7", "a gateway whose files are replaced", () => {
  it("serves all requests, with new certificates on both sides and another password", async () => {
    await using etcd = await startEtcd({ release: "3.7", clientCertAuth: true });
    const security = { ca: certificateAuthority().cert, x509Certificate: serverCertificate() };
    const tool = new V3Tool(etcd.urls, undefined, security);
    await enableAuth(tool);
    tool.close();
    const [old, next] = [serverCertificate(), nextServerCertificate()];
    for (const [name, text] of [
      ["ca.pem", certificateAuthority().cert],
      ["client.pem", old.cert],
      ["client.key", old.key],
      ["listen.pem", old.cert],
      ["listen.key", old.key],
      ["password", `${ROOT.password}\n`],
    ] as const) {
      await replace(name, text);
    }
    await using cli = new Cli("gateway", "--port", "0", {
      ETCDNET_ENDPOINTS: etcd.urls[0],
      ETCDNET_CACERT: at("ca.pem"),
      ETCDNET_CERT: at("client.pem"),
      ETCDNET_KEY: at("client.key"),
      ETCDNET_LISTEN_CERT: at("listen.pem"),
      ETCDNET_LISTEN_KEY: at("listen.key"),
      ETCDNET_USERNAME: ROOT.username,
      ETCDNET_PASSWORD_FILE: at("password"),
    });
    const urls = [await cli.url()];
    const bundle = [certificateAuthority().cert, nextAuthority().cert];
    const load = new Load(new EtcdClient({ urls, ca: bundle }));
    const logged = (line: RegExp) =>
      vi.waitUntil(() => line.test(cli.stderr), { timeout: 60_000, interval: 20 });

    // Another program replaces one file, then the other.
    await replace("listen.pem", next.cert);
    cli.kill("SIGHUP");
    await logged(
      / WARN {2}the certificate for clients \(ETCDNET_LISTEN_CERT\): not reloaded, .*mism/m,
    );
    await replace("listen.key", next.key);
    cli.kill("SIGHUP");
    await logged(
      / INFO {2}reloaded the certificate for clients .*: certificate with SHA-256 [0-9A-F:]+, exp/m,
    );
    await using strict = new EtcdClient({ urls, ca: nextAuthority().cert });
    await strict.getNode("/");

    const { cert, key } = clientCertificate("");
    await replace("client.pem", cert);
    await replace("client.key", key);
    await replace("ca.pem", bundle.join(""));
    cli.kill("SIGHUP");
    await logged(/ INFO {2}reloaded the certificate for the cluster: certificate with SHA-256 /m);

    await replace("password", "another secret\n");
    cli.kill("SIGHUP");
    await logged(
      / INFO {2}reloaded the password for the cluster: used for the next authentication/m,
    );
    const root = new V3Tool(etcd.urls, ROOT, security);
    await root.ask("auth/user/changepw", { name: "root", password: "another secret" });
    root.close();

    await load.end();
    expect(cli.stderr).not.toContain("secret\n");
    expect(cli.stderr).not.toContain("PRIVATE KEY");
    cli.kill("SIGTERM");
    expect(await cli.exit).toBe(0);
  });
});

it("SIGHUP does not end a server without files", async () => {
  await using cli = new Cli("serve", "--port", "0");
  const url = await cli.url();
  cli.kill("SIGHUP");
  expect((await fetch(`${url}/version`)).status).toBe(200);
  cli.kill("SIGTERM");
  expect(await cli.exit).toBe(0);
});

/** Writes without a pause, and watches its writes. */
class Load {
  readonly #etcd: EtcdClient;
  readonly #watched: Promise<number>;
  readonly #written: Promise<number>;
  #ending = false;

  constructor(etcd: EtcdClient) {
    this.#etcd = etcd;
    this.#watched = this.#watch();
    this.#written = this.#write();
  }

  /** Ends after some more writes. Each has succeeded, and was seen. */
  async end(): Promise<void> {
    for (let count = 0; count < 20; count++) await this.#etcd.getNode("/", { quorum: true });
    this.#ending = true;
    expect(await this.#watched).toBe(await this.#written);
    await this.#etcd.close();
  }

  async #write(): Promise<number> {
    for (let count = 1; ; count++) {
      const value = this.#ending ? "last" : String(count);
      await this.#etcd.setNode("/load", value);
      if (value === "last") return count;
    }
  }

  async #watch(): Promise<number> {
    let count = 0;
    for await (const item of this.#etcd.watch("/load", { from: 1 })) {
      count++;
      if (item.type === "change" && item.response.node.value === "last") break;
    }
    return count;
  }
}
