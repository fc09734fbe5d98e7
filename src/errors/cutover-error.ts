import { EtcdError } from "./etcd-error.js";

/** A step of a cut-over is not possible now, or was undone. The gateways serve from the same cluster as before. */
export class CutoverError extends EtcdError {
  override readonly name = "CutoverError";
  override readonly code = "ETCD_CUTOVER";
}
