import { describe } from "vitest";

/**
 * Defines a suite that runs concurrently with the neighboring suites of this kind. Use it for suites
 * that mostly wait, each with its own servers. The tests of a suite run in sequence. Use `expect.poll`
 * of the test context: the global one belongs to the test that started last, in any suite.
 */
export function describeSideBySide(name: string, define: () => void): void {
  describe(name, { concurrent: true }, () => {
    describe("in order,", { sequential: true }, define);
  });
}
