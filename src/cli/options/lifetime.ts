/** The TTL of a write; for etcdctl, 0 is none. */
export function lifetimeOf(seconds = 0): { readonly ttl?: number } {
  return seconds > 0 ? { ttl: seconds } : {};
}
