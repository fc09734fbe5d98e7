/** A random id of 64 bits, as etcd writes those of members and clusters: hexadecimal, not padded. */
export function randomId(): string {
  // Not `node:crypto`: the memory key space also runs in browsers.
  const [id = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return id.toString(16);
}
