const SHOWN_BYTES = 4_096;

interface Props {
  readonly value: string;
  /** As base64, when they are known and not UTF-8. */
  readonly bytes?: string | undefined;
  readonly api: "v2" | "v3";
}

/** A value that is no text, as bytes. */
export function HexView({ value, bytes: known, api }: Props) {
  const bytes = known === undefined ? new TextEncoder().encode(value) : decodeBase64(known);
  const isReplaced = known === undefined && api === "v2" && value.includes("\ufffd");
  const rows: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, SHOWN_BYTES); at += 16) {
    rows.push(rowOf(bytes.subarray(at, at + 16), at));
  }
  return (
    <div class="hex">
      <p class="notice">
        <span>
          <strong>Binary value.</strong> {known !== undefined && "Its bytes are not UTF-8."}
          {known === undefined &&
            (isReplaced
              ? "Bytes that are not UTF-8 are shown as EF BF BD (U+FFFD), as etcd returns them."
              : "It has control characters, so it is shown as bytes.")}
        </span>
      </p>
      <pre role="group" tabIndex={0} aria-label="Bytes of the value">
        {rows.join("\n")}
      </pre>
      {bytes.length > SHOWN_BYTES && (
        <p class="quiet">
          The first {SHOWN_BYTES.toLocaleString("en")} of {bytes.length.toLocaleString("en")} bytes.
        </p>
      )}
    </div>
  );
}

export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function rowOf(bytes: Uint8Array, at: number): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
  const shown = [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
  );
  const offset = at.toString(16).padStart(6, "0");
  return `${offset}  ${hex.join(" ").padEnd(47)}  ${shown.join("")}`;
}
