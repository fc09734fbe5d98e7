import type { EtcdClient } from "../../src/index.js";

const WRITERS = 50;

/**
 * Makes `count` changes below a directory with 50 concurrent writers. Each write first waits for
 * `beforeWrite`, which receives the number of changes made so far.
 *
 * @returns their indexes
 */
export async function makeChanges(
  etcd: EtcdClient,
  dir: string,
  count: number,
  beforeWrite: (made: number) => Promise<void> = async () => {},
): Promise<readonly number[]> {
  const indexes: number[] = [];
  let left = count;
  const write = async (name: number): Promise<void> => {
    while (left-- > 0) {
      await beforeWrite(indexes.length);
      const { node } = await etcd.setNode(`${dir}/${name}`, `${left}`);
      indexes.push(node.modifiedIndex);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, name) => write(name)));
  return indexes.sort((a, b) => a - b);
}
