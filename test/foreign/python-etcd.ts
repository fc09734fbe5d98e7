import { installed, type Missing, must } from "./install.js";
import { type Outcome, run } from "./run.js";

/** urllib3 2 no longer has what python-etcd uses of it. */
const PACKAGES = ["python-etcd==0.4.5", "urllib3==1.26.20", "dnspython==2.7.0"];

/** To a folder of its own, for which neither root nor a virtual environment is needed. */
export function installPythonEtcd(): string | Missing {
  return installed("python-etcd-0.4.5", (work) => {
    must("python3", ["-m", "pip", "install", "--target", work, ...PACKAGES], { cwd: work });
  });
}

/** Runs tests that use the installed packages. */
export function runPython(
  tests: string,
  packages: string,
  env: NodeJS.ProcessEnv,
): Promise<Outcome> {
  return run("python3", ["-W", "ignore", tests, "--verbose"], {
    env: { ...env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" },
  });
}
