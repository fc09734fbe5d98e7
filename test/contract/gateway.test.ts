import { describeEtcdSideBySide } from "../support/etcd.js";
import { keySpaceContract } from "./contract.js";
import { gateway } from "./gateway.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcd ${release}`, () => keySpaceContract(gateway(release)));
}
