import type { KeySpace } from "../../key-space.js";

/** Two keys record whether v2 auth of gateways is on, so that it stays on when one of them is lost or damaged. */
export const AUTH_SWITCHES = ["/enabled", "/enabled-copy"];

/** Whether v2 auth is on; `undefined`: both keys are missing. @param keySpace of users and roles */
export async function readAuthSwitch(
  keySpace: Pick<KeySpace, "execute">,
  quorum = false,
): Promise<boolean | undefined> {
  // Reading one of them would throw if auth was never on; a listing does not.
  const { node } = await keySpace.execute({ action: "get", key: "/", quorum });
  const found = (node.nodes ?? []).filter(({ key }) => AUTH_SWITCHES.includes(key));
  return found.length === 0 ? undefined : found.some(({ value }) => value !== "false");
}
