/** Formats a time, in milliseconds since 1970, like Go's JSON: RFC 3339 without trailing zeros. */
export function goTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.?0{1,3}Z$/, "Z");
}

/** Formats a duration of 0 or more milliseconds like Go: `1h0m2.5s`, `30ms`, `12.5µs`. */
export function goDuration(milliseconds: number): string {
  if (milliseconds >= 1000) return clockOf(Math.round(milliseconds * 1e6) / 1e9);
  const nanoseconds = Math.round(milliseconds * 1e6);
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  return nanoseconds < 1e6 ? `${nanoseconds / 1e3}µs` : `${nanoseconds / 1e6}ms`;
}

function clockOf(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (minutes === 0) return rest;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${rest}` : `${hours}h${minutes % 60}m${rest}`;
}
