/** A header block that cannot be decoded. Nothing after it can be decoded either, so the connection is unusable. */
export class HpackError extends Error {}
