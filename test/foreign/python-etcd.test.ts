import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeOnBothServers } from "./both-servers.js";
import { installed, type Missing, must } from "./install.js";
import { run } from "./run.js";
import { itPasses } from "./suite.js";

/** urllib3 2 no longer has what python-etcd uses of it. */
const PACKAGES = ["python-etcd==0.4.5", "urllib3==1.26.20", "dnspython==2.7.0"];

const TESTS = join(import.meta.dirname, "python", "client_test.py");
const names = [...readFileSync(TESTS, "utf8").matchAll(/^ {4}def (test_\w+)\(/gm)].map(
  ([, name = ""]) => name,
);

describeOnBothServers("python-etcd", installPackages(), (packages, server) => {
  itPasses({
    names,
    run: () => {
      const env = {
        ETCD_URL: server().urls[0],
        PYTHONPATH: packages,
        PYTHONDONTWRITEBYTECODE: "1",
      };
      return run("python3", ["-W", "ignore", TESTS, "--verbose"], { env });
    },
    passed: (name) => RegExp(`^${name} .*\\.\\.\\. ok$`, "m"),
  });
});

/** To a folder of its own, for which neither root nor a virtual environment is needed. */
function installPackages(): string | Missing {
  return installed("python-etcd-0.4.5", (work) => {
    must("python3", ["-m", "pip", "install", "--target", work, ...PACKAGES], { cwd: work });
  });
}
