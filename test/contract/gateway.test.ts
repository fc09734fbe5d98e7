import { describeEtcdSideBySide } from "../support/etcd.js";
import { releases } from "../support/releases.js";
import { keySpaceContract } from "./contract.js";
import { gateway } from "./gateway.js";

for (const release of releases(["3.4", "3.6", "3.7"], ["3.5"])) {
  describeEtcdSideBySide(release, `etcd ${release}`, () => keySpaceContract(gateway(release)));
}
