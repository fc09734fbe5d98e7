import { describeEtcdSideBySide } from "../support/etcd.js";
import { releases } from "../support/releases.js";
import { keySpaceContract } from "./contract.js";
import { v3, v3AsJson } from "./v3.js";

for (const release of releases(["3.4", "3.6", "3.7"], ["3.5"])) {
  describeEtcdSideBySide(release, `etcd ${release}`, () => keySpaceContract(v3(release)));
}

describeEtcdSideBySide("3.4", "etcd 3.4 through a proxy", () => keySpaceContract(v3AsJson("3.4")));
