import type { HeaderList } from "../../src/server/http/message.js";

/** The headers of a response as an object. */
export function headerObject(headers: HeaderList): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i < headers.length; i += 2) object[headers[i] ?? ""] = headers[i + 1] ?? "";
  return object;
}
