/** A fact, or the reason why it could not be found out. */
export type Checked<T> = { readonly value: T } | { readonly unchecked: string };

export function isChecked<T>(fact: Checked<T>): fact is { readonly value: T } {
  return "value" in fact;
}

/** The value of a fact; `undefined` if it could not be found out. */
export function knownValue<T>(fact: Checked<T>): T | undefined {
  return isChecked(fact) ? fact.value : undefined;
}

/** Turns an error into the reason why a fact could not be found out. */
export async function checked<T>(fact: Promise<T>): Promise<Checked<T>> {
  try {
    return { value: await fact };
  } catch (error) {
    return { unchecked: error instanceof Error ? error.message : String(error) };
  }
}
