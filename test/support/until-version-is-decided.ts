import { setTimeout } from "node:timers/promises";

/** Waits until the members of a cluster agree on its version, which healthy ones do a moment after their start. */
export async function untilVersionIsDecided({ url }: { readonly url: string }): Promise<void> {
  while ((await (await fetch(`${url}/version`)).text()).includes("not_decided")) {
    await setTimeout(20);
  }
}
