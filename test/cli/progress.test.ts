import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { Cli } from "../support/cli-process.js";
import { inBatches } from "../support/in-batches.js";
import { cliSession } from "./session.js";

const KEYS = 200;
const AGAIN = "Ctrl-C again ends the command at once\n";
const cli = cliSession();
let folder = "";
let exported = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "etcdnet-progress-"));
  exported = join(folder, "export.jsonl");
  await inBatches(KEYS, (index) => cli.etcd.setNode(`/app/k${index}`, "1"));
  await cli.print("export", "/app", "--file", exported);
});
afterAll(() => rm(folder, { recursive: true }));

/** A server before an etcd that holds the requests for `/app`, so that a command is in the middle of its work. */
class Gate implements AsyncDisposable {
  readonly url: string;
  /** Requests that have arrived. */
  held = 0;
  /** Lets all requests pass. */
  readonly open: () => void;
  readonly #close: () => void;

  private constructor(url: string, close: () => void, open: () => void) {
    this.url = url;
    this.#close = close;
    this.open = open;
  }

  static async before(target: string, method: string): Promise<Gate> {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const server = createServer(async (request, response) => {
      const body = await buffer(request);
      if (request.method === method && request.url?.includes("/app")) {
        gate.held++;
        await opened;
      }
      const { headers, url } = request;
      const type = headers["content-type"] ?? "text/plain";
      const init = { method: request.method ?? "GET", headers: { "content-type": type } };
      const answer = await fetch(`${target}${url}`, body.length > 0 ? { ...init, body } : init);
      response.writeHead(answer.status, {
        "content-type": answer.headers.get("content-type") ?? "",
        "x-etcd-index": answer.headers.get("x-etcd-index") ?? "",
        "x-etcd-cluster-id": answer.headers.get("x-etcd-cluster-id") ?? "",
      });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const close = (): void => {
      server.closeAllConnections();
      server.close();
    };
    const gate = new Gate(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close,
      open,
    );
    return gate;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}

describe("Ctrl-C", () => {
  it("ends an import after the writes under way, and says so at once", async () => {
    await using target = await startEmbeddedEtcd();
    await using gate = await Gate.before(target.url, "PUT");
    await using command = new Cli("--endpoints", gate.url, "import", exported);
    await expect.poll(() => gate.held).toBeGreaterThan(0);
    command.kill("SIGINT");
    await expect
      .poll(() => command.stderr)
      .toBe(`SIGINT: ending the import after the writes that are under way; ${AGAIN}`);
    gate.open();
    expect(await command.exit).toBe(130);
    const [, written = ""] =
      /stopped: (\d+) \/ 201 keys were written; .*--overwrite/.exec(command.stderr) ?? [];
    await using etcd = new EtcdClient({ urls: [target.url] });
    const { node } = await etcd.getNode("/app");
    // The directory itself is one of those that were written.
    expect(node.nodes).toHaveLength(Number(written) - 1);
    expect(Number(written)).toBeLessThan(KEYS);
  });

  it("ends an import at once the second time", async () => {
    await using target = await startEmbeddedEtcd();
    await using gate = await Gate.before(target.url, "PUT");
    await using command = new Cli("--endpoints", gate.url, "import", exported);
    await expect.poll(() => gate.held).toBeGreaterThan(0);
    command.kill("SIGINT");
    await expect.poll(() => command.stderr).toContain(AGAIN);
    command.kill("SIGINT");
    expect(await command.exit).toBe("SIGINT");
  });

  it("ends an export, and leaves its file unchanged", async () => {
    const file = join(folder, "kept.jsonl");
    await writeFile(file, "as before");
    await using gate = await Gate.before(cli.url, "GET");
    await using command = new Cli("--endpoints", gate.url, "export", "/app", "--file", file);
    await expect.poll(() => gate.held).toBeGreaterThan(0);
    command.kill("SIGINT");
    expect(await command.exit).toBe(130);
    expect(command.stderr).toBe(`SIGINT: ending the export; the file is left unchanged; ${AGAIN}`);
    expect(await readFile(file, "utf8")).toBe("as before");
    expect(await readdir(folder)).toEqual(["export.jsonl", "kept.jsonl"]);
  });

  it("ends a comparison, and says how far it came", async () => {
    await using gate = await Gate.before(cli.url, "GET");
    const trees = ["--from", gate.url, "--to", cli.url, "--prefix", "/app"];
    await using command = new Cli("diff", ...trees);
    await expect.poll(() => gate.held).toBeGreaterThan(0);
    command.kill("SIGINT");
    expect(await command.exit).toBe(130);
    expect(command.stderr).toBe(
      `SIGINT: ending the comparison, which changes nothing; ${AGAIN}stopped: 0 keys compared, 0 differences so far\n`,
    );
  });
});
