import { expect, it } from "vitest";
import { goJson } from "./go-json.js";

it("escapes each character as Go does", () => {
  for (let code = 0; code < 0x3000; code++) {
    const text = `a${String.fromCharCode(code)}`;
    const json = goJson(text);
    expect(JSON.parse(json)).toBe(text);
    expect(goJson([text]).slice(1, -1)).toBe(json);
    expect(json).not.toMatch(/[<>&\u2028\u2029]|\\[bf]/);
  }
});
