/** The stories of the playground, which run the code of the package. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { browserModules } from "../docs/.vitepress/browser-modules.js";
import { lockStory } from "../docs/.vitepress/playground/lock-story.js";
import { Stage } from "../docs/.vitepress/playground/stage.js";
import { storyCode } from "../docs/.vitepress/playground/story-code.js";
import { watchStory } from "../docs/.vitepress/playground/watch-story.js";
import { root } from "../scripts/project.mjs";
import { browserBundle } from "./support/browser-bundle.js";

/** What each step of a story prints, in what a browser has. */
type Tell = (name: "lock" | "watch") => Promise<readonly (readonly string[])[]>;

const TELL = `
  import { lockStory } from "./docs/.vitepress/playground/lock-story.ts";
  import { Stage } from "./docs/.vitepress/playground/stage.ts";
  import { WATCH_STORY_HISTORY, watchStory } from "./docs/.vitepress/playground/watch-story.ts";

  export async function tell(name) {
    let lines = [];
    const stage = new Stage((line) => lines.push(line), WATCH_STORY_HISTORY);
    const printed = [];
    for (const step of (name === "lock" ? lockStory : watchStory)(stage).steps) {
      lines = [];
      await step.run();
      await stage.settle();
      // Without the requests.
      printed.push(lines.filter((line) => !line.startsWith("  ")));
    }
    return printed;
  }
`;

/** Replaces modules as the site does. */
const replacing: Plugin = {
  name: "replacing",
  setup({ onResolve }) {
    const { resolveId } = browserModules();
    onResolve({ filter: /.*/ }, ({ path, importer }) => {
      const replacement = resolveId(path, importer);
      return replacement === undefined ? undefined : { path: replacement };
    });
  },
};

let told: Tell;
beforeAll(async () => {
  const { imports, evaluate } = await browserBundle(TELL, [replacing]);
  expect(imports).toEqual([]);
  told = evaluate("bundled.tell") as Tell;
});

test("a holder of a lock that was paused cannot overwrite the later holder", async () => {
  expect(await told("lock")).toEqual([
    ["A holds the lock, token 4"],
    ["B waits"],
    ["A: I hold the lock. Now I will write the report …", "A is paused"],
    ["B holds the lock, token 5"],
    ["report: by B (token 5)"],
    ["refused: token 4 is too old"],
    [expect.stringMatching(/^A: lost ownership of .*unconfirmed/), "the report is by B"],
  ]);
});

test("a watch delivers what it can, and a resync when events are lost", async () => {
  expect(await told("watch")).toEqual([
    ["resync (initial): /config/mode = day"],
    ["change: set /config/mode = night"],
    ["nothing was delivered"],
    ["change: set /config/mode = dawn", "change: set /config/mode = noon"],
    ["nothing was delivered"],
    ["resync (history-cleared): /config/mode = noon, /config/number = 8"],
    ["change: set /config/mode = day"],
  ]);
});

test.each([
  ["lock-story.ts", lockStory],
  ["watch-story.ts", watchStory],
])("the page shows the code of each step of %s", (file, tell) => {
  const { steps } = tell(new Stage(() => {}));
  const source = readFileSync(join(root, "docs/.vitepress/playground", file), "utf8");
  const shown = storyCode(source);
  expect(shown.steps).toHaveLength(steps.length);
  expect(shown.setup).toMatch(/^const /);
  for (const code of shown.steps)
    expect(source.replaceAll(/^ +/gm, "")).toContain(code.replaceAll(/^ +/gm, ""));
});
