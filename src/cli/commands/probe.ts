import { Command } from "commander";
import { Agent, request } from "undici";
import { authorityOf } from "../../server/http/server-url.js";
import { addVariables, givenOptions } from "../options/environment.js";
import { notEmpty, portOf, readText } from "../options/option-files.js";

const TIMEOUT_MS = 5_000;
const MAX_RESPONSE_BYTES = 65_536;

/** Addresses to listen on that are no addresses to connect to. */
const LOOPBACK_FOR: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

interface ProbeOptions {
  readonly port: number;
  readonly host: string;
  readonly listenCert?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
}

/** `etcdnet probe`: a health check for containers, which needs no other program. */
export function probeCommand(): Command {
  const command = new Command("probe")
    .description(
      "Check whether the server with these options is ready. The options and variables are those of " +
        "the server. Exit code 0: /readyz returns 200 within 5 seconds. 1: it does not.",
    )
    .addHelpText("after", "\nExample:\n  etcdnet probe --port 4001")
    .option("--port <number>", "port that the server listens on", portOf, 2379)
    .option("--host <address>", "address that the server listens on", notEmpty, "127.0.0.1")
    .option("--listen-cert <file>", "use https; the certificate is not verified", notEmpty)
    .option("--client-cert <file>", "client certificate (PEM); needs --client-key", notEmpty)
    .option("--client-key <file>", "key of --client-cert (PEM)", notEmpty);
  command.action(async () => {
    const { options, flag } = givenOptions<ProbeOptions>(command);
    try {
      await probe(options, await certificateOf(options, flag));
    } catch (error) {
      command.error(`error: ${error instanceof Error ? error.message : error}`);
    }
  });
  return addVariables(command);
}

/** @throws Error with the reason why the server is not ready */
async function probe({ host, port, listenCert }: ProbeOptions, certificate: object): Promise<void> {
  const authority = authorityOf({ address: LOOPBACK_FOR[host] ?? host, port });
  const url = `${listenCert === undefined ? "http" : "https"}://${authority}/readyz`;
  // The probe sends no secret, and a certificate is seldom valid for a loopback address.
  const connect = { rejectUnauthorized: false, ...certificate };
  const dispatcher = new Agent({ connect, maxResponseSize: MAX_RESPONSE_BYTES });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { statusCode, body } = await request(url, { dispatcher, signal });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${statusCode} ${text.trim()}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Error(`${url}: ${reason}`, { cause: error });
  } finally {
    await dispatcher.destroy();
  }
}

async function certificateOf(
  { clientCert, clientKey }: ProbeOptions,
  flag: (name: string) => string,
): Promise<object> {
  if (clientCert === undefined && clientKey === undefined) return {};
  return {
    cert: await readText({ option: flag("client-cert"), file: clientCert }),
    key: await readText({ option: flag("client-key"), file: clientKey }),
  };
}
