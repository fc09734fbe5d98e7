const BAD_ESCAPE = /%(?![\da-f]{2})/i;
const BEYOND_ASCII = /[\x80-\xff]/g;
const NOT_UTF8 = "not valid UTF-8";
const PLAIN_ASCII = /^[\x21-\x24\x26-\x7e]*$/;

/** A path is not UTF-8, so it cannot be a key. */
export class NotUtf8Error extends Error {}

/** Whether each percent sign begins an escape. Go's HTTP library rejects the request otherwise. */
export function isWellEscaped(sent: string): boolean {
  return !BAD_ESCAPE.test(sent);
}

/**
 * Decodes the path of a request target. Each character of `sent` is one byte.
 *
 * @throws NotUtf8Error
 */
export function decodePath(sent: string): string {
  if (PLAIN_ASCII.test(sent)) return sent;
  // Decoded in one call: decoding a megabyte of escapes one by one takes a third of a second.
  try {
    return decodeURIComponent(sent.replace(BEYOND_ASCII, escapeByte));
  } catch {
    throw new NotUtf8Error(NOT_UTF8);
  }
}

function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16)}`;
}

/**
 * Decodes UTF-8. Each character of `bytes` is one byte.
 *
 * @throws NotUtf8Error
 */
export function decodeBytes(bytes: string): string {
  if (bytes.search(BEYOND_ASCII) < 0) return bytes;
  return decodeUtf8(Buffer.from(bytes, "latin1"));
}

/** @throws NotUtf8Error */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new NotUtf8Error(NOT_UTF8);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
