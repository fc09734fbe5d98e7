import type { AnyNode, EtcdNode } from "../../model/node.js";
import { contendersIn } from "../../recipes/contention/contender.js";
import { keyIn } from "../http/json-exchange.js";
import type { Participant, RecipeAnswer } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** The id of a contender, which is random. */
const CONTENDER_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const MAX_PARTICIPANTS = 1_000;

/**
 * What a directory is, if one of the recipes uses it: recognized by the names and values of its files. Locks and elections
 * write the same keys.
 */
export async function showRecipe({
  session,
  query,
  signal,
}: ConsoleRequest): Promise<RecipeAnswer> {
  const { node } = await session.etcd.getNode(keyIn(query), { quorum: true, sorted: true, signal });
  return recipeIn(node);
}

/** What a directory is, by its children. */
export function recipeIn(node: AnyNode): RecipeAnswer {
  const files = (node.nodes ?? []).filter(({ dir }) => !dir);
  if (files.length === 0) return {};
  const contenders = contendersIn(node);
  if (contenders.length === files.length && contenders.every(({ id }) => CONTENDER_ID.test(id))) {
    const ttls = new Map(files.map(({ key, ttl }) => [key, ttl]));
    const participants = contenders.map(({ key, data, createdIndex }) =>
      participantOf(key, data, ttls.get(key), createdIndex),
    );
    return { kind: "queue", participants: participants.slice(0, MAX_PARTICIPANTS) };
  }
  const instances = files.map(instanceOf);
  if (instances.some((instance) => instance === undefined)) return {};
  const participants = instances.flatMap((instance) => instance ?? []);
  return { kind: "registry", participants: participants.slice(0, MAX_PARTICIPANTS) };
}

/** `undefined` for a file that no registration has written. */
function instanceOf({ key, value = "", ttl, createdIndex }: EtcdNode): Participant | undefined {
  try {
    const { owner, metadata } = JSON.parse(value);
    if (typeof owner !== "string" || metadata === undefined) return undefined;
    return participantOf(key, JSON.stringify(metadata), ttl, createdIndex);
  } catch {
    return undefined;
  }
}

function participantOf(
  key: string,
  data: string,
  ttl: number | undefined,
  token: number,
): Participant {
  return {
    key,
    data: data.slice(0, 1_000).toWellFormed(),
    token,
    ...(ttl !== undefined && { ttl }),
  };
}
