import type { EtcdClient } from "../../src/index.js";

const WRITERS = 50;

/**
 * Makes so many changes below a directory, as fast as they are taken, and as `next` allows, which is
 * told how many were made.
 *
 * @returns their indexes
 */
export async function makeChanges(
  etcd: EtcdClient,
  dir: string,
  count: number,
  next: (made: number) => Promise<void> = async () => {},
): Promise<readonly number[]> {
  const indexes: number[] = [];
  let left = count;
  const write = async (name: number): Promise<void> => {
    while (left-- > 0) {
      await next(indexes.length);
      const { node } = await etcd.setNode(`${dir}/${name}`, `${left}`);
      indexes.push(node.modifiedIndex);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, name) => write(name)));
  return indexes.sort((a, b) => a - b);
}
