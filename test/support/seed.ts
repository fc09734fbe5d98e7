/**
 * Property tests use the same cases in every run, so that a failure points to the change under test.
 * `ETCDNET_SEED` selects other cases.
 */
export const SEED = Number(process.env.ETCDNET_SEED ?? 20_261_122);
