import type { Command } from "commander";
import { createGateway } from "../../server/gateway.js";
import { runGatewayChecks } from "./gateway-check.js";
import { addGatewayOptions, gatewayOptions } from "./gateway-options.js";
import { serverCommand } from "./server-command.js";

const AFTER_HELP = `
A gateway has no state of its own: run as many as you need. SIGINT (Ctrl-C) or SIGTERM ends it after
the requests in progress; a second signal ends it at once. SIGHUP reads certificates and passwords
again, which also happens within seconds when their files change. The log is on standard error.
Exit codes: 0 ended by a signal, or all checks of --check succeeded; 1 invalid options, a failed
check, a port in use, or a cluster that refuses the user or serves the v3 API neither over gRPC nor as
JSON.

Example:
  etcdnet gateway --port 2379 --endpoints https://a:2379,https://b:2379 --cacert ca.pem`;

/** `etcdnet gateway`: serves the v2 API for a cluster that only serves v3. */
export function gatewayCommand(): Command {
  return serverCommand({
    name: "gateway",
    description: "Serve etcd's v2 API for a cluster that has only v3 (etcd 3.4 and later).",
    afterHelp: AFTER_HELP,
    addOptions: addGatewayOptions,
    complete: gatewayOptions,
    start: createGateway,
    describe: ({ etcd }) => ({
      endpoints: etcd.urls,
      prefix: etcd.keyPrefix,
      etcdUser: etcd.username,
    }),
    // ETCDNET_PREFIX is the directory of a client; this prefix is the client's --key-prefix.
    variables: { prefix: ["ETCDNET_KEY_PREFIX"], check: [] },
    check: (options, flag, nameOf) =>
      options.check === true ? runGatewayChecks(options, flag, nameOf) : undefined,
    flags: { keyPrefix: "prefix" },
    remedies: {
      tls: "--listen-cert, --listen-key",
      auth: "--auth-root-password-file, unless auth is already on",
    },
  });
}
