import type { OptionNames } from "../../errors/hint.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import { checkGateway, type GatewayCheck } from "../../server/check-gateway.js";
import { checkSourceGateway } from "../../server/check-source-gateway.js";
import { systemClock } from "../../time/clock.js";
import { describeCertificate, validityProblem } from "../process/expiry-log.js";
import { failureMessage } from "../process/failure.js";
import type { FlagOf } from "../process/flag-names.js";
import { print } from "../process/print.js";
import {
  clusterCertificate,
  credentialsOf,
  type GatewayCommandOptions,
  gatewayOptions,
  listenCertificate,
  sourceCertificate,
  sourceCredentials,
} from "./gateway-options.js";
import { rootPassword } from "./server-command.js";

type Check = Pick<GatewayCheck, "name" | "run">;

/**
 * Prints one line for each thing that a gateway needs. Starts and changes nothing.
 *
 * @returns whether everything is in order
 */
export async function runGatewayChecks(
  options: GatewayCommandOptions,
  flag: FlagOf,
  nameOf: OptionNames,
): Promise<boolean> {
  let failures = 0;
  const report = async ({ name, run }: Check): Promise<boolean> => {
    try {
      const details = await run();
      print(details === "" ? `ok      ${name}` : `ok      ${name}: ${details}`);
      return true;
    } catch (error) {
      failures++;
      print(`failed  ${name}: ${reasonOf(error, nameOf)}`);
      return false;
    }
  };
  for (const check of fileChecks(options, flag)) await report(check);
  if (failures > 0) return false;
  try {
    const { settings } = await gatewayOptions(options, flag);
    if ("source" in settings) await checkSourceGateway(settings, report);
    else await checkGateway(settings, report);
  } catch (error) {
    await report({ name: "options", run: () => Promise.reject(error) });
  }
  return failures === 0;
}

function fileChecks(options: GatewayCommandOptions, flag: FlagOf): readonly Check[] {
  const listening = {
    name: "certificate for clients",
    run: async () => validityOf((await listenCertificate(options, flag)).value?.cert),
  };
  const source = {
    name: "certificate for the v2 cluster",
    run: async () => validityOf((await sourceCertificate(options, flag)).value.cert),
  };
  const cluster = [
    {
      name: "certificate for the cluster",
      run: async () => validityOf((await clusterCertificate(options, flag)).value.cert),
    },
    {
      name: "user of the cluster",
      run: async () => (await credentialsOf(options, flag)).value.username ?? "none",
    },
  ];
  if (options.source !== undefined) {
    const user = {
      name: "user of the v2 cluster",
      run: async () => (await sourceCredentials(options, flag)).value.username ?? "none",
    };
    return [listening, source, user, ...(options.endpoints === undefined ? [] : cluster)];
  }
  return [
    listening,
    ...cluster,
    {
      name: "password of v2's root",
      run: async () =>
        (await rootPassword(options, flag)).value === undefined ? "not set" : "readable",
    },
  ];
}

/** @throws Error for a certificate that is not valid now */
function validityOf(pem: string | Buffer | undefined): string {
  if (pem === undefined) return "none";
  const problem = validityProblem(pem, systemClock.now());
  if (problem?.isValid === false) throw new Error(`${problem.text}; replace it`);
  return describeCertificate(pem);
}

function reasonOf(error: unknown, nameOf: OptionNames): string {
  const message = failureMessage(error, nameOf).replaceAll("\n", " ");
  return isEtcdError(error, "Unauthorized")
    ? `${message}; check the user, and grant the permissions in docs/v3.md`
    : message;
}
