/** A part of the site's navigation. */
export interface Section {
  readonly name: string;
  readonly items: readonly Item[];
}

interface Item {
  /** File in docs/. */
  readonly page: string;
  readonly text: string;
}

/** The pages by what a reader wants to do. A page without a text of its own has its heading. */
const SECTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Start: {
    "index.md": "Overview",
    "tutorial.md": "Tutorial: ten minutes",
    "playground.md": "Playground",
    "client.md": "",
    "support.md": "",
  },
  Guides: {
    "testing.md": "",
    "watching.md": "",
    "recipes.md": "",
    "embedded-server.md": "",
    "console.md": "",
    "cli.md": "",
  },
  "Clusters without the v2 API": {
    "v3.md": "The v2 key space on v3",
    "migrating-to-v3.md": "Migration",
    "cutover.md": "",
    "upgrading.md": "Upgrading etcd",
    "running-the-gateway.md": "",
  },
  Operations: {
    "runbook.md": "Runbook",
    "observability.md": "",
    "applications.md": "",
  },
  "Coming from": {
    "from-etcdnet.md": "EtcdNet (C#)",
    "from-node-etcd.md": "node-etcd",
    "from-etcd3.md": "etcd3",
    "from-python-etcd.md": "python-etcd",
  },
  Help: {
    "troubleshooting.md": "",
    "faq.md": "",
  },
  Reference: {
    "cli-reference.md": "Command line",
    "protocol.md": "",
    "deviations.md": "",
    "reliability.md": "",
    "benchmarks.md": "",
    "architecture.md": "",
  },
};

/**
 * The sections that have pages, with the pages that exist. Every page of docs/ is in one of them.
 *
 * @param titles the heading of each page
 */
export function sections(titles: ReadonlyMap<string, string>): readonly Section[] {
  const named = Object.entries(SECTIONS).map(([name, pages]) => ({
    name,
    items: Object.entries(pages).flatMap(([page, text]) => {
      const title = titles.get(page);
      return title === undefined ? [] : [{ page, text: text || title }];
    }),
  }));
  const known = new Set(Object.values(SECTIONS).flatMap((pages) => Object.keys(pages)));
  const others = [...titles].flatMap(([page, text]) => (known.has(page) ? [] : [{ page, text }]));
  return [...named, { name: "More", items: others }].filter(({ items }) => items.length > 0);
}
