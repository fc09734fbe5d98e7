import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeOnBothServers } from "./both-servers.js";
import { installPythonEtcd, runPython } from "./python-etcd.js";
import { itPasses } from "./suite.js";

const TESTS = join(import.meta.dirname, "python", "client_test.py");
const names = [...readFileSync(TESTS, "utf8").matchAll(/^ {4}def (test_\w+)\(/gm)].map(
  ([, name = ""]) => name,
);

describeOnBothServers("python-etcd", installPythonEtcd(), (packages, server) => {
  itPasses({
    names,
    run: () => runPython(TESTS, packages, { ETCD_URL: server().urls[0] }),
    passed: (name) => RegExp(`^${name} .*\\.\\.\\. ok$`, "m"),
  });
});
