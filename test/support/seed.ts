/**
 * Property tests draw the same cases in every run, so that a failure says something of the change
 * that is tested. `ETCDNET_SEED` draws others.
 */
export const SEED = Number(process.env.ETCDNET_SEED ?? 20_261_122);
