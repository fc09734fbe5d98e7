import type { Section } from "./sections.js";

/**
 * The text of llms.txt (https://llmstxt.org): every page as Markdown, with its first sentence.
 *
 * @param read the content of a page
 */
export function llmsText(sections: readonly Section[], read: (page: string) => string): string {
  const lists = sections.map(({ name, items }) => {
    const lines = items.map(
      ({ page, text }) => `- [${text}](${page}): ${firstSentence(read(page))}`,
    );
    return `## ${name}\n\n${lines.join("\n")}\n`;
  });
  return `# etcdnet\n\n> ${firstSentence(read("index.md"))}\n\n${lists.join("\n")}`;
}

/** The first sentence of the first paragraph, without links. */
function firstSentence(page: string): string {
  const paragraph = page.split(/\n{2,}/).find((block) => /^(?!```)[\w`[*]/.test(block)) ?? "";
  const text = paragraph.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/\s+/g, " ");
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}
