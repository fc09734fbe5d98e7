/** The TTL of a write. As in etcdctl, 0 means no TTL. */
export function lifetimeOf(seconds = 0): { readonly ttl?: number } {
  return seconds > 0 ? { ttl: seconds } : {};
}
