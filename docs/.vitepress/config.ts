import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { browserModules } from "./browser-modules.js";
import { fragmentOf } from "./fragment.js";
import { llmsText } from "./llms.js";
import { repositoryLinks } from "./repository-links.js";
import { sections } from "./sections.js";

const docs = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(docs);
const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
const titles = new Map(pages.map((page) => [page, titleOf(page)]));
const present = sections(titles);

/** The first heading. */
function titleOf(page: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(docs, page), "utf8")) ?? [];
  if (title === undefined) throw new Error(`docs/${page} has no heading`);
  return title.replaceAll("`", "");
}

export default defineConfig({
  title: "etcdnet",
  description: "etcd's v2 key space on any etcd: client, embedded server, gateway, command line",
  lang: "en",
  srcDir: docs,
  outDir: join(root, "build/site"),
  cacheDir: join(root, "build/vitepress-cache"),
  // A site of a project on GitHub is in a folder of its domain, such as /etcdnet/.
  base: process.env.DOCS_BASE ?? "/",
  cleanUrls: false,
  head: [["link", { rel: "icon", href: "data:," }]],
  markdown: {
    // The same fragments as on GitHub, so that a link works in both places.
    anchor: { slugify: fragmentOf },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config: (md) => repositoryLinks(md, root),
  },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith("etcdnet-") } } },
  vite: {
    plugins: [browserModules()],
    // Warnings fail the build, and the index of the search is one large file.
    build: { chunkSizeWarningLimit: 4_000 },
  },
  themeConfig: {
    outline: [2, 3],
    search: { provider: "local" },
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Playground", link: "/playground" },
      { text: "API", link: "/api/index.html", target: "_self" },
      { text: "Command line", link: "/cli-reference" },
      { text: "Help", link: "/troubleshooting" },
    ],
    sidebar: [
      ...present.map(({ name, items }) => ({
        text: name,
        items: items.map(({ page, text }) => ({ text, link: `/${page.replace(/\.md$/, "")}` })),
      })),
    ],
    socialLinks: [{ icon: "github", link: "https://github.com/etcdnet/etcdnet" }],
  },
  buildEnd({ outDir }) {
    for (const page of pages) copyFileSync(join(docs, page), join(outDir, page));
    const text = llmsText(present, (page) => readFileSync(join(docs, page), "utf8"));
    writeFileSync(join(outDir, "llms.txt"), text);
  },
});
