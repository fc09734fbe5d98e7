import { OptionError } from "../errors/option-error.js";
import { isLoopback } from "./http/loopback.js";

const EVERY_ADDRESS = /^(?:0\.0\.0\.0|\[::\])$/;

/** Refuses a port on which the gateway would be its own endpoint. @throws TypeError naming the endpoint */
export function checkSelfReference(urls: readonly string[], host: string, port: number): void {
  const own = urls.find((url) => {
    const { hostname, port: urlPort, protocol } = new URL(url);
    const isSamePort = port === Number(urlPort || (protocol === "https:" ? 443 : 80));
    return isSamePort && reaches(hostname, host.includes(":") ? `[${host}]` : host);
  });
  if (own === undefined) return;
  throw new OptionError(
    "port",
    `${port} is also the port of the endpoint "${own}": the gateway would connect to itself`,
    "choose another port",
  );
}

function reaches(hostname: string, host: string): boolean {
  if (hostname === host) return true;
  if (!isLoopback(hostname)) return false;
  const isByName = hostname === "localhost" || host === "localhost";
  return EVERY_ADDRESS.test(host) || (isByName && isLoopback(host));
}
