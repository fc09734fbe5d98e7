import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../foreign/missing.js";
import type { Application } from "./application.js";
import { launch } from "./program.js";
import { installWithPythonEtcd, pythonEnv } from "./python.js";
import { RenderedFile } from "./rendered-file.js";

const PLUGIN = join(import.meta.dirname, "python/pyconfd_plugin.py");
const KEY = "/pyconfd/number";

/** pyconfd, whose plugin watches a key with python-etcd. */
export const pyconfd: Application = {
  name: "pyconfd 0.0.7 with a plugin that watches",
  install() {
    const packages = installWithPythonEtcd("pyconfd-0.0.7", ["pyconfd==0.0.7"]);
    if (isMissing(packages)) return packages;
    return async ({ urls }) => {
      const file = await RenderedFile.create(KEY, urls);
      const template = join(file.directory, "template");
      await writeFile(template, "{{number}}\n");
      // On Python 3, its module `logstuff` is found only in the search path.
      const env = pythonEnv(packages, join(packages, "pyconfd"));
      const running = launch("python3", [PLUGIN, KEY, template, file.path, ...urls], { env });
      return {
        goesOn: () => file.followsKey(),
        async finish() {
          running.child.kill();
          await running.ended;
          file.remove();
        },
      };
    };
  },
};
