import { describeEtcdSideBySide } from "../support/etcd.js";
import { keySpaceContract } from "./contract.js";
import { sourceGateway } from "./gateway.js";

describeEtcdSideBySide("3.4", "etcd 3.4", () => keySpaceContract(sourceGateway("3.4")));
