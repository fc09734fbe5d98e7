import type { EtcdClient } from "../../client/etcd-client.js";
import { NamespaceKeySpace } from "../../key-space/decorators/namespace-key-space.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { pathOf } from "../../key-space/shared/path.js";
import { checkKey } from "../../model/validate.js";

/** Two trees, each below a key of its own. */
export interface SourceAndTarget {
  readonly from: EtcdClient;
  readonly to: EtcdClient;
  /**
   * The directory that is taken, on the first side. Its own TTL is not part of it.
   *
   * @default "/"
   */
  readonly prefix?: string;
  /**
   * Its place on the second side.
   *
   * @default as `prefix`
   */
  readonly toPrefix?: string;
  /**
   * Hidden keys (`_…`) below `prefix` that are taken too, with all that is below them: etcd does not
   * list them, so they must be named.
   *
   * @default none
   */
  readonly hidden?: readonly string[];
}

/** The two trees seen from their tops, whose key is `/`. */
export interface TreePair {
  readonly source: KeySpace;
  readonly target: KeySpace;
  /** Keys that together make up the tree. */
  readonly tops: readonly string[];
  /** Paths of the tops on either side. */
  readonly sourcePrefix: string;
  readonly targetPrefix: string;
}

/** @throws TypeError that names the option */
export function treesOf({
  from,
  to,
  prefix = "/",
  toPrefix = prefix,
  hidden = [],
}: SourceAndTarget): TreePair {
  checkKey(prefix, "prefix");
  checkKey(toPrefix, "toPrefix");
  const [firstPrefix, secondPrefix] = [pathOf(prefix), pathOf(toPrefix)];
  return {
    source: within(from.keySpace, firstPrefix),
    target: within(to.keySpace, secondPrefix),
    tops: ["/", ...hidden.map((key) => hiddenTop(key, firstPrefix))],
    sourcePrefix: firstPrefix,
    targetPrefix: secondPrefix,
  };
}

function within(keySpace: KeySpace, prefix: string): KeySpace {
  return prefix === "" ? keySpace : new NamespaceKeySpace(keySpace, prefix);
}

function hiddenTop(key: string, prefix: string): string {
  checkKey(key, "hidden");
  const path = pathOf(key);
  if (path.startsWith(`${prefix}/`)) return path.slice(prefix.length);
  throw new TypeError(`hidden: ${key} is not below ${prefix}`);
}
