/** A number with its noun, e.g. `1 key` and `2 keys`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
