const SHOWN_BYTES = 4_096;

/** A value that is no text, as bytes. */
export function HexView({ value, api }: { readonly value: string; readonly api: "v2" | "v3" }) {
  const bytes = new TextEncoder().encode(value);
  const isReplaced = value.includes("\ufffd");
  const rows: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, SHOWN_BYTES); at += 16) {
    rows.push(rowOf(bytes.subarray(at, at + 16), at));
  }
  return (
    <div class="hex">
      <p class="notice">
        <span>
          <strong>Binary value.</strong>{" "}
          {isReplaced
            ? `Bytes that are not UTF-8 are shown as EF BF BD (U+FFFD), as ${api === "v2" ? "etcd" : "the v2 key space"} returns them.`
            : "It has control characters, so it is shown as bytes."}
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

function rowOf(bytes: Uint8Array, at: number): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase());
  const shown = [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
  );
  const offset = at.toString(16).padStart(6, "0");
  return `${offset}  ${hex.join(" ").padEnd(47)}  ${shown.join("")}`;
}
