// @ts-check
import { build, installPackages } from "./project.mjs";

installPackages();
build({ isClean: true });
