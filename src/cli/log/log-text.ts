/** A value of a field. */
type LogValue = string | number | boolean | readonly string[];

/** Fields of a log line, in order. `undefined`: omitted. */
export type LogFields = Readonly<Record<string, LogValue | undefined>>;

/** One line, before it is formatted. */
export interface LogRecord {
  readonly time: Date;
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export type LogFormat = "text" | "json";

/** Maximum length of a text in a line, in characters. Clients and servers can send longer ones. */
const MAX_TEXT_CHARS = 1_024;

/**
 * Characters that JSON does not escape but that terminals, editors and log viewers interpret: DEL and C1
 * controls, line and paragraph separators, marks that change the direction of text.
 */
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Texts that need no quotes in a line of text. */
const PLAIN = /^[\w./:@%,+~*?&;[\](){}!^-]+$/;

/** A line with its newline. Nothing in the fields can begin another line. */
export function lineOf(record: LogRecord, format: LogFormat): string {
  return format === "json" ? jsonLine(record) : textLine(record);
}

function jsonLine({ time, level, message, fields }: LogRecord): string {
  const head = { time: time.toISOString(), level, message: cutText(message) };
  const entries = Object.entries(fields).map(([name, value]) => [name, cutValue(value)] as const);
  // The head is repeated, so that no field can replace it; the order is that of the first definition.
  return `${escaped({ ...head, ...Object.fromEntries(entries), ...head })}\n`;
}

function textLine({ time, level, message, fields }: LogRecord): string {
  const shown = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${valueText(value)}`],
  );
  // Without its quotes, a JSON text is safe and readable.
  const safe = escaped(cutText(message)).slice(1, -1).replaceAll('\\"', '"');
  return `${[time.toISOString(), level.toUpperCase().padEnd(5), safe, ...shown].join(" ")}\n`;
}

function valueText(value: LogValue): string {
  const text = cutText(typeof value === "object" ? value.join(",") : String(value));
  return PLAIN.test(text) ? text : escaped(text);
}

function cutValue(value: LogValue | undefined): LogValue | undefined {
  if (typeof value === "string") return cutText(value);
  return typeof value === "object" ? value.map(cutText) : value;
}

function cutText(text: string): string {
  if (text.length <= MAX_TEXT_CHARS) return text;
  return `${text.slice(0, MAX_TEXT_CHARS)}… (${text.length} characters)`;
}

/** JSON whose texts contain no character that a terminal interprets. */
function escaped(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
