import { walkDirectories } from "../../transfer/source/walk-tree.js";
import { failureOf, keyIn } from "../http/json-exchange.js";
import { lineSender, progressPace } from "../http/write-text.js";
import type { FoundRecipe, RecipesEvent } from "../model/page-types.js";
import { recipeIn } from "./recipe-route.js";
import type { ConsoleRequest } from "./route.js";

const MAX_RECIPES = 500;
/** Of each recipe. */
const MAX_SHOWN = 5;

/**
 * Finds all locks, elections and registries of the tree, directory by directory, and sends a line for each. Hidden
 * directories are left out, since etcd does not list them.
 */
export async function findRecipes({
  session,
  query,
  response,
  signal,
}: ConsoleRequest): Promise<void> {
  const key = keyIn(query);
  const send = lineSender<RecipesEvent>(response);
  let [directories, keys, found] = [0, 0, 0];
  const isDue = progressPace();
  try {
    for await (const { node } of walkDirectories(session.etcd, key, { signal })) {
      directories++;
      keys += node.nodes?.length ?? 0;
      const { kind, participants = [] } = recipeIn(node);
      if (kind !== undefined) {
        if (++found > MAX_RECIPES) break;
        const first = participants.slice(0, MAX_SHOWN);
        const recipe: FoundRecipe = { key: node.key, kind, count: node.nodes?.length ?? 0, first };
        await send({ type: "recipe", recipe });
      }
      if (isDue()) await send({ type: "progress", directories, keys });
    }
    await send({ type: "end", directories, keys, isCut: found > MAX_RECIPES });
  } catch (error) {
    if (!signal.aborted) await send({ type: "failed", failure: failureOf(error) });
  }
  response.end();
}
