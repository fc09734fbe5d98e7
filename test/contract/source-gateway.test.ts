import { describeEtcdSideBySide } from "../support/etcd.js";
import { keySpaceContract } from "./contract.js";
import { sourceGateway } from "./gateway.js";

for (const release of ["3.4", "3.5"] as const) {
  describeEtcdSideBySide(release, `etcd ${release}`, () =>
    keySpaceContract(sourceGateway(release)),
  );
}
