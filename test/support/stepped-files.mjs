// @ts-check
import * as system from "node:fs/promises";

/**
 * The system's file functions. `before` is called before each step that changes something.
 *
 * @param {(step: string) => void | Promise<void>} before throws to let the step fail
 * @returns {import("../../src/files/file-system.js").FileSystem}
 */
export function steppedFiles(before) {
  /**
   * @template {(...args: never[]) => Promise<unknown>} F
   * @param {string} name
   * @param {F} step
   */
  const stepped = (name, step) =>
    /** @type {F} */ (
      async (...args) => {
        await before(name);
        return await step(...args);
      }
    );
  return {
    ...system,
    rename: stepped("rename", system.rename),
    unlink: stepped("unlink", system.unlink),
    open: async (path, flags, mode) => {
      const name = flags === "r" ? "open directory" : "open";
      await before(name);
      const handle = await system.open(path, flags, mode);
      const suffix = flags === "r" ? " directory" : "";
      handle.writeFile = stepped("write", handle.writeFile.bind(handle));
      handle.sync = stepped(`sync${suffix}`, handle.sync.bind(handle));
      handle.close = stepped(`close${suffix}`, handle.close.bind(handle));
      return handle;
    },
  };
}
