import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** Whether a host name or IP address is loopback. IPv6 addresses may have brackets. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(address);
  if (family !== 0) return LOOPBACK.check(address, family === 6 ? "ipv6" : "ipv4");
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}
