// @ts-check
// A plugin of TypeDoc: entries have the names that users import, exports the category of their source file.
import { Comment, CommentTag, Converter, ReflectionKind } from "typedoc";

/** Beginning of the path below src/, and its category. The first one that matches counts. */
const CATEGORIES = /** @type {const} */ ([
  ["client/", "Client"],
  ["wire/json", "Client"],
  ["watch/", "Watching"],
  ["model/watch-item", "Watching"],
  ["recipes/", "Recipes"],
  ["errors/", "Errors"],
  ["model/auth", "Cluster and users"],
  ["model/cluster", "Cluster and users"],
  ["key-space/auth-api", "Cluster and users"],
  ["key-space/cluster-api", "Cluster and users"],
  ["key-space/memory/memory-cluster-api", "Cluster and users"],
  ["model/key-request", "Key spaces"],
  ["model/", "Nodes and responses"],
  ["key-space/call-options", "Client"],
  ["key-space/", "Key spaces"],
  ["transfer/", "Migration"],
  ["diagnostics/", "Diagnostics"],
  ["server/metrics/", "Diagnostics"],
  ["time/", "Time"],
  ["testing/manual-clock", "Time"],
  ["testing/", "Test files"],
  ["server/embedded-etcd", "Embedded server"],
  ["server/gateway", "Gateway"],
  ["server/source-gateway", "Gateway"],
  ["server/serve-gateway", "Gateway"],
  ["server/", "Handler"],
]);

/** What users import, by the name that TypeDoc derives from the file. @type {Readonly<Record<string, string>>} */
const ENTRIES = { index: "etcdnet", server: "etcdnet/server", testing: "etcdnet/testing" };

/** @param {import("typedoc").Application} app */
export function load(app) {
  // Before TypeDoc sorts by category, which it does with a lower priority.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      if (!module.isDeclaration()) continue;
      module.name = ENTRIES[module.name] ?? module.name;
      for (const child of module.children ?? []) categorize(child);
    }
  });
}

/** @param {import("typedoc").DeclarationReflection} child */
function categorize(child) {
  const [, path = ""] = /\/src\/(.+)$/.exec(child.sources?.[0]?.fullFileName ?? "") ?? [];
  const [, category] = CATEGORIES.find(([start]) => path.startsWith(start)) ?? [];
  if (category === undefined) throw new Error(`${child.name} of src/${path} has no category`);
  const signatures = child.signatures ?? [];
  for (const reflection of signatures.length > 0 ? signatures : [child]) {
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(
      new CommentTag("@category", [{ kind: "text", text: category }]),
    );
  }
}
