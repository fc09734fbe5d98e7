import { describeEtcdSideBySide } from "../support/etcd.js";
import { keySpaceContract } from "./contract.js";
import { v3, v3AsJson } from "./v3.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcd ${release}`, () => keySpaceContract(v3(release)));
}

describeEtcdSideBySide("3.4", "etcd 3.4 through a proxy", () => keySpaceContract(v3AsJson("3.4")));
