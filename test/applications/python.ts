import { installed, type Missing, must } from "../foreign/install.js";

/** urllib3 2 no longer has what python-etcd uses of it. */
const PYTHON_ETCD = ["python-etcd==0.4.5", "urllib3==1.26.20"];

/** Installs packages that use python-etcd, to a folder of their own. */
export function installWithPythonEtcd(
  name: string,
  packages: readonly string[],
  python = "python3",
): string | Missing {
  return installed(name, (work) => {
    const pip = ["-m", "pip", "install", "--target", work];
    must(python, [...pip, ...packages, ...PYTHON_ETCD], { cwd: work });
  });
}

/** The environment of a Python program that uses packages in these folders. */
export function pythonEnv(...folders: readonly string[]): NodeJS.ProcessEnv {
  return { PYTHONPATH: folders.join(":"), PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" };
}
