import type { Command } from "commander";
import { createGateway, type Gateway, type GatewayOptions } from "../../server/gateway.js";
import { systemClock } from "../../time/clock.js";
import { logDamage } from "../process/log-damage.js";
import { logMembers } from "../process/log-members.js";
import { addGatewayOptions, gatewayOptions } from "./gateway-options.js";
import { serverCommand } from "./server-command.js";

const AFTER_HELP = `
It keeps nothing by itself: run as many of them as you like side by side. It ends on SIGINT (Ctrl-C)
or SIGTERM when what is under way is answered; a second signal ends it at once. Which members fail,
and which answer again, it says on standard error.
Exit codes: 0 ended by a signal; 1 options that cannot be used, a port in use, a cluster that refuses
the user or serves the v3 API neither as gRPC nor as JSON.

Example:
  etcdnet gateway --port 2379 --endpoints https://a:2379,https://b:2379 --cacert ca.pem`;

/** `etcdnet gateway`: the v2 API in front of a cluster that serves v3 only. */
export function gatewayCommand(): Command {
  return serverCommand({
    name: "gateway",
    description: "serve etcd's v2 API from a cluster that has v3 only (etcd 3.4 and later)",
    afterHelp: AFTER_HELP,
    addOptions: addGatewayOptions,
    complete: gatewayOptions,
    start,
    remedies: {
      tls: "--listen-cert, --listen-key",
      auth: "--auth-root-password-file, unless it is on already",
    },
  });
}

/** The cluster may be out of reach from the start, so the log begins before. */
function start(options: GatewayOptions): Promise<Gateway> {
  logMembers(systemClock, console.error);
  logDamage(systemClock, console.error);
  return createGateway(options);
}
