/** The environment of a Python program that uses packages in these folders. */
export function pythonEnv(...folders: readonly string[]): NodeJS.ProcessEnv {
  return { PYTHONPATH: folders.join(":"), PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" };
}
