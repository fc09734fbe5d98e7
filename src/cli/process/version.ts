/** The version in package.json. It is a constant because the single executable has no package.json. */
export const VERSION = "0.1.0";
