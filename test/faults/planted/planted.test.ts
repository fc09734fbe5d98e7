import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../../../scripts/project.mjs";
import { plants } from "./index.js";

it.each(Object.entries(plants))("%s changes one place of the product", (_, { file, find }) => {
  expect(readFileSync(join(root, file), "utf8").split(find)).toHaveLength(2);
});
