import { existsSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { MarkdownRenderer } from "vitepress";

const REPOSITORY = "https://github.com/etcdnet/etcdnet";

/**
 * Links from docs/ to files outside of it, such as `../src/index.ts`, lead to the repository. A link to a file that
 * does not exist fails the build, as VitePress does for links to pages.
 */
export function repositoryLinks(md: MarkdownRenderer, root: string): void {
  md.core.ruler.push("repository-links", ({ tokens }) => {
    for (const { children } of tokens) {
      for (const token of children ?? []) {
        const href = token.type === "link_open" ? token.attrGet("href") : null;
        if (href?.startsWith("../")) token.attrSet("href", inRepository(href, root));
      }
    }
  });
}

function inRepository(href: string, root: string): string {
  const [file = "", fragment] = href.split("#");
  const path = join(root, "docs", file);
  if (!existsSync(path)) throw new Error(`docs/ has a link to ${href}, which does not exist`);
  const kind = statSync(path).isDirectory() ? "tree" : "blob";
  const anchor = fragment === undefined ? "" : `#${fragment}`;
  return `${REPOSITORY}/${kind}/main/${relative(root, path)}${anchor}`;
}
