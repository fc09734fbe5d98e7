/** The time of a day, in the form of the reader's system. */
export function TimeText({ at }: { readonly at: Date }) {
  return <time dateTime={at.toISOString()}>{at.toLocaleTimeString()}</time>;
}
