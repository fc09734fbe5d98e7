import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The links of a site that lead to no file or to no element.
 *
 * @param folder what the host serves as `/`
 * @param base path of the site, with a slash at both ends
 */
export function deadLinksOf(
  folder: string,
  base: string,
): { readonly dead: readonly string[]; readonly checked: number } {
  const top = join(folder, base);
  const names = readdirSync(top, { recursive: true, encoding: "utf8" });
  const pages = new Map(
    names
      .filter((name) => name.endsWith(".html"))
      .map((name) => [`${base}${name}`, readFileSync(join(top, name), "utf8")]),
  );
  const targets = new Targets(folder, pages);
  const dead: string[] = [];
  let checked = 0;
  for (const [page, text] of pages) {
    for (const link of ownLinks(text)) {
      checked++;
      if (!targets.has(page, base, link)) dead.push(`${page}: ${link}`);
    }
  }
  return { dead, checked };
}

/** The links and files of a page that are on the same host. */
function ownLinks(page: string): readonly string[] {
  const found = page.matchAll(/<(?!!)[^>]*?\s(?:href|src)="([^"]*)"/g);
  const links = [...found].map(([, link = ""]) => link.replaceAll("&amp;", "&"));
  return [...new Set(links)].filter((link) => !/^(?:[a-z]+:|\/\/)/.test(link));
}

class Targets {
  readonly #folder: string;
  readonly #pages: ReadonlyMap<string, string>;
  readonly #ids = new Map<string, ReadonlySet<string>>();

  constructor(folder: string, pages: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#pages = pages;
  }

  has(page: string, base: string, link: string): boolean {
    const [file = "", fragment = ""] = link.split("#");
    const from = dirname(`${page}x`);
    const path = file === "" ? page : file.startsWith("/") ? file : join(from, file);
    if (!path.startsWith(base)) return false;
    const target = path.endsWith("/") ? `${path}index.html` : path;
    const onDisk = join(this.#folder, decodeURIComponent(target));
    if (!existsSync(onDisk) || !statSync(onDisk).isFile()) return false;
    return fragment === "" || this.#idsOf(target).has(decodeURIComponent(fragment));
  }

  /** Of a page, or of a file of icons. */
  #idsOf(page: string): ReadonlySet<string> {
    const known = this.#ids.get(page);
    if (known !== undefined) return known;
    const text = this.#pages.get(page) ?? readFileSync(join(this.#folder, page), "utf8");
    const ids = new Set([...text.matchAll(/\sid="([^"]*)"/g)].map(([, id = ""]) => id));
    this.#ids.set(page, ids);
    return ids;
  }
}
