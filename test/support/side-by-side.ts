import { describe } from "vitest";

/**
 * A suite beside those that are defined so next to it, each with servers of its own: for suites that
 * mostly wait. In a suite, one test runs after the other. `expect.poll` must be the one of the test's
 * context: the global one knows only the test that began last, in whichever suite.
 */
export function describeSideBySide(name: string, define: () => void): void {
  describe(name, { concurrent: true }, () => {
    describe("in order,", { sequential: true }, define);
  });
}
