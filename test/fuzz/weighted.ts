import fc, { type Arbitrary } from "fast-check";

/** One of some texts, each as often as its number says. */
export function weighted(texts: Readonly<Record<string, number>>): Arbitrary<string> {
  const choices = Object.entries(texts).map(([text, weight]) => ({
    weight,
    arbitrary: fc.constant(text),
  }));
  return fc.oneof(...choices);
}
