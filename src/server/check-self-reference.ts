import { isLoopback } from "./http/loopback.js";

const EVERY_ADDRESS = /^(?:0\.0\.0\.0|\[::\])$/;

/** Refuses to serve where the cluster is said to be. @throws TypeError naming the endpoint */
export function checkSelfReference(urls: readonly string[], host: string, port: number): void {
  const own = urls.find((url) => {
    const { hostname, port: theirs, protocol } = new URL(url);
    const isOurPort = port === Number(theirs || (protocol === "https:" ? 443 : 80));
    return isOurPort && reaches(hostname, host.includes(":") ? `[${host}]` : host);
  });
  if (own === undefined) return;
  throw new TypeError(
    `port: is ${port}, as in "${own}": the gateway would ask itself; give another`,
  );
}

function reaches(hostname: string, host: string): boolean {
  if (hostname === host) return true;
  if (!isLoopback(hostname)) return false;
  const isByName = hostname === "localhost" || host === "localhost";
  return EVERY_ADDRESS.test(host) || (isByName && isLoopback(host));
}
