import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installed, type Missing, must } from "../foreign/install.js";
import { isMissing } from "../foreign/missing.js";
import type { Application } from "./application.js";
import { finish, launch } from "./program.js";
import { RenderedFile } from "./rendered-file.js";

/** The last release whose backend `etcd` uses the v2 API. */
const VERSION = "0.16.0";
const KEY = "/confd/number";

/** confd, which renders a file again at every change that it watches. */
export const confd: Application = {
  name: `confd ${VERSION} in watch mode`,
  install() {
    const program = findConfd();
    if (isMissing(program)) return program;
    return async ({ urls }) => {
      const file = await RenderedFile.create(KEY, urls);
      await writeConfiguration(file);
      const nodes = urls.flatMap((url) => ["-node", url]);
      const options = ["-watch", "-backend", "etcd", "-confdir", file.directory];
      const running = launch(program, [...options, ...nodes]);
      return {
        goesOn: () => file.followsKey(),
        async finish() {
          await finish(running);
          file.remove();
        },
      };
    };
  },
};

function findConfd(): string | Missing {
  const { stdout } = spawnSync("confd", ["-version"], { encoding: "utf8" });
  if (stdout?.startsWith(`confd ${VERSION} `)) return "confd";
  const directory = installed(`confd-${VERSION}`, (work) => {
    const env = { GOBIN: work, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" };
    const module = `github.com/kelseyhightower/confd@v${VERSION}`;
    must("go", ["install", module], { cwd: work, env });
  });
  return isMissing(directory) ? directory : join(directory, "confd");
}

async function writeConfiguration({ directory, path }: RenderedFile): Promise<void> {
  await Promise.all(["conf.d", "templates"].map((name) => mkdir(join(directory, name))));
  const resource = `[template]\nsrc = "number"\ndest = "${path}"\nkeys = ["${KEY}"]\n`;
  await writeFile(join(directory, "conf.d/number.toml"), resource);
  await writeFile(join(directory, "templates/number"), `{{getv "${KEY}"}}\n`);
}
