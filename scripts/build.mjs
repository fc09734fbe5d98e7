// @ts-check
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build, installPackages, root } from "./project.mjs";

installPackages();
rmSync(join(root, "dist"), { recursive: true, force: true });
build();
