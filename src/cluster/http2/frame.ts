/** The frames of HTTP/2 (RFC 9113, section 6). */

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = {
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Why a connection or a stream ends. */
export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

const CODE_NAMES: readonly string[] = Object.keys(CODE).map((name) =>
  name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
);

/** The name of a code, as in the RFC. */
export function codeName(code: number): string {
  return CODE_NAMES[code] ?? `code ${code}`;
}

export const FRAME_HEAD_BYTES = 9;
/** Maximum payload that this client accepts, and that it sends unless the server accepts more. */
export const MAX_PAYLOAD_BYTES = 16_384;
/** Initial flow-control window of a connection, and by default of a stream. */
export const DEFAULT_WINDOW_BYTES = 65_535;
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** A connection ends before it needs greater ids. */
export const MAX_STREAM_ID = 2 ** 31 - 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** 0: the connection. */
  readonly stream: number;
  readonly payload: Buffer;
}

/** The server breaks the rules of HTTP/2, so the connection must end. */
export class Http2Error extends Error {
  readonly code: number;

  constructor(code: number, problem: string) {
    super(`the endpoint violates HTTP/2 (${codeName(code)}): ${problem}`);
    this.code = code;
  }
}
