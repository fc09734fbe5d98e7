import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { serverCertificate } from "../support/certificates.js";
import { Cli } from "../support/cli-process.js";

beforeAll(buildIfStale);

/** Exit code and standard error of a probe of a server that responds with this status. */
async function probe(
  status: number,
  { tls = false, more = [] }: { readonly tls?: boolean; readonly more?: readonly string[] } = {},
): Promise<readonly [unknown, string]> {
  const respond: RequestListener = (request, response) => {
    response.statusCode = request.url === "/readyz" ? status : 404;
    response.end(status === 200 ? "ok\n" : "not ready: no member\n");
  };
  const server = tls ? createHttps(serverCertificate(), respond) : createServer(respond);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using cli = new Cli("probe", "--port", `${port}`, ...more);
  const result = [await cli.exit, cli.stderr.replace(`${port}`, "PORT")] as const;
  server.close();
  return result;
}

it.concurrent("a probe of a ready server ends with 0", async () => {
  expect(await probe(200)).toEqual([0, ""]);
});

it.concurrent("a probe of another server ends with 1 and the reason", async () => {
  const message = "Error:  http://127.0.0.1:PORT/readyz: 503 not ready: no member\n";
  expect(await probe(503)).toEqual([1, message]);
});

it.concurrent("a probe does not verify the certificate of the server", async () => {
  const more = ["--host", "0.0.0.0", "--listen-cert", "any.pem"];
  expect(await probe(200, { tls: true, more })).toEqual([0, ""]);
});

it.concurrent("a probe takes port and scheme from the variables of the server", async () => {
  await using cli = new Cli("probe", { ETCDNET_PORT: "1", ETCDNET_LISTEN_CERT: "any.pem" });
  expect(await cli.exit).toBe(1);
  expect(cli.stderr).toMatch(/^Error: {2}https:\/\/127\.0\.0\.1:1\/readyz: connect ECONNREFUSED/);
});
