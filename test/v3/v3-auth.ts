import { toBase64 } from "../support/base64.js";
import type { V3Tool } from "./v3-tools.js";

export const ROOT = { username: "root", password: "secret: root" };
/** May use the tree under the key prefix `/alice`. */
export const ALICE = { username: "alice", password: "secret: alice" };

const RANGE = { key: toBase64("/alice\0"), range_end: toBase64("/alice0") };

/** Creates the users and enables v3 auth. */
export async function enableAuth(tool: V3Tool): Promise<void> {
  for (const { username, password } of [ROOT, ALICE]) {
    await tool.ask("auth/user/add", { name: username, password });
    await tool.ask("auth/role/add", { name: username });
    await tool.ask("auth/user/grant", { user: username, role: username });
  }
  await tool.ask("auth/role/grant", { name: "alice", perm: { permType: "READWRITE", ...RANGE } });
  await tool.ask("auth/enable", {});
}

/** Revokes Alice's permission. The tool is authenticated as root. */
export async function revokeFromAlice(tool: V3Tool): Promise<void> {
  await tool.ask("auth/role/revoke", { role: "alice", ...RANGE });
}
