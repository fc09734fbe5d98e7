import type { Reply } from "./http-pipe.js";
import type { RawRequest } from "./request.js";

/** One line that says it all. */
export function show({ method, target, type, body }: RawRequest): string {
  const payload =
    body === undefined ? "" : `  ${type ?? "no type"}: ${JSON.stringify(short(body))}`;
  return `${method} ${JSON.stringify(short(target)).slice(1, -1)}${payload}`;
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

export function showReplies(etcd: Reply, ours: Reply): string {
  const parting = firstDifference(etcd.body, ours.body);
  return `etcd  ${showReply(etcd)}\nours  ${showReply(ours)}\nfrom  ${parting}`;
}

function showReply({ status, body, ended }: Reply): string {
  return `${status} ${short(body)}${ended ? "" : " (open)"}`;
}

/** Where they part. */
function firstDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const [from, to] = [Math.max(0, at - 20), at + 40];
  return `${JSON.stringify(a.slice(from, to))} / ${JSON.stringify(b.slice(from, to))}`;
}
