import type { Command } from "commander";
import { createGateway } from "../../server/gateway.js";
import { createSourceGateway } from "../../server/source-gateway.js";
import { runGatewayChecks } from "./gateway-check.js";
import { addGatewayOptions, gatewayOptions } from "./gateway-options.js";
import { serverCommand } from "./server-command.js";

const AFTER_HELP = `
A gateway has no state of its own: run as many as you need. --workers runs several in processes that
share one port: each uses a core, and one that dies is started again. SIGINT (Ctrl-C) or SIGTERM ends it after
the requests in progress; a second signal ends it at once. SIGHUP reads certificates and passwords
again, which also happens within seconds when their files change. The log is on standard error.
Exit codes: 0 ended by a signal, or all checks of --check succeeded; 1 invalid options, a failed
check, a port in use, or a cluster that refuses the user or serves the v3 API neither over gRPC nor as
JSON.

With --source, it serves a cluster that still has the v2 API, so that its clients can be given the URLs
of gateways before their data moves to v3. The users of v2 auth are then those of that cluster. With
--endpoints too, etcdnet cutover can switch it to v3.

Example:
  etcdnet gateway --port 2379 --endpoints https://a:2379,https://b:2379 --cacert ca.pem
  etcdnet gateway --port 4001 --source http://old-a:2379,http://old-b:2379`;

/** `etcdnet gateway`: serves the v2 API for a cluster that only serves v3, or, until then, for one that serves v2. */
export function gatewayCommand(): Command {
  return serverCommand({
    name: "gateway",
    description: "Serve etcd's v2 API for a cluster that has only v3 (etcd 3.4 and later).",
    afterHelp: AFTER_HELP,
    addOptions: addGatewayOptions,
    complete: gatewayOptions,
    start: (settings, around) =>
      "source" in settings
        ? createSourceGateway({ ...settings, around })
        : createGateway({ ...settings, around }),
    describe: (settings) => {
      if ("source" in settings) {
        const { source, etcd } = settings;
        return { source: source.urls, target: etcd?.urls, auth: "of the cluster" };
      }
      const { urls: endpoints, keyPrefix: prefix, username: etcdUser } = settings.etcd;
      return { endpoints, prefix, etcdUser };
    },
    // ETCDNET_PREFIX is the directory of a client; this prefix is the client's --key-prefix.
    variables: { prefix: ["ETCDNET_KEY_PREFIX"], check: [] },
    check: (options, flag, nameOf) =>
      options.check === true ? runGatewayChecks(options, flag, nameOf) : undefined,
    flags: ({ source }) => (source === undefined ? { keyPrefix: "prefix" } : SOURCE_FLAGS),
    remedies: (settings) => ({
      tls: "--listen-cert, --listen-key",
      // A v2 cluster has its own users.
      auth:
        "source" in settings ? undefined : "--auth-root-password-file, unless auth is already on",
    }),
  });
}

/** The flags about a v2 cluster, by the option of the client. */
const SOURCE_FLAGS = {
  source: "source",
  urls: "source",
  ca: "source-cacert",
  "tls.caFile": "source-cacert",
  x509Certificate: "source-cert",
  "tls.certFile": "source-cert",
  "tls.keyFile": "source-key",
  username: "source-username",
  password: "source-password-file",
};
