import type { EtcdClient } from "../../client/etcd-client.js";
import { OptionError } from "../../errors/option-error.js";
import { NamespaceKeySpace } from "../../key-space/decorators/namespace-key-space.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { pathOf } from "../../key-space/shared/path.js";
import { checkKey } from "../../model/validate.js";

/** The source and the target tree, each below its own key. */
export interface SourceAndTarget {
  readonly from: EtcdClient;
  readonly to: EtcdClient;
  /**
   * The directory of the source. Its own TTL is not copied or compared.
   *
   * @default "/"
   */
  readonly prefix?: string | undefined;
  /**
   * The directory of the target.
   *
   * @default the value of `prefix`
   */
  readonly toPrefix?: string | undefined;
  /**
   * Hidden keys (`_…`) below `prefix` to include, with everything below them. They must be named,
   * because etcd does not list them.
   *
   * @default none
   */
  readonly hidden?: readonly string[] | undefined;
}

/** The two trees. In each of them, the key of the top is `/`. */
export interface TreePair {
  readonly source: KeySpace;
  readonly target: KeySpace;
  /** The root and the hidden keys; together they make up the tree. */
  readonly tops: readonly string[];
  /** Paths of the tops in the source and in the target. */
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
  const [sourcePrefix, targetPrefix] = [pathOf(prefix), pathOf(toPrefix)];
  return {
    source: within(from.keySpace, sourcePrefix),
    target: within(to.keySpace, targetPrefix),
    tops: ["/", ...hidden.map((key) => hiddenTop(key, sourcePrefix))],
    sourcePrefix,
    targetPrefix,
  };
}

function within(keySpace: KeySpace, prefix: string): KeySpace {
  return prefix === "" ? keySpace : new NamespaceKeySpace(keySpace, prefix);
}

function hiddenTop(key: string, prefix: string): string {
  checkKey(key, "hidden");
  const path = pathOf(key);
  if (path.startsWith(`${prefix}/`)) return path.slice(prefix.length);
  throw new OptionError("hidden", `${key} is not below ${prefix}`);
}
