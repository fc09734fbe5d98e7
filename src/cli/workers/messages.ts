/** What the parent sends to a worker. */
export type ToWorker =
  | { readonly kind: "shutdown" }
  /** Asks for new files to be read. */
  | { readonly kind: "reload" }
  /** Asks for the metrics of the worker itself. */
  | { readonly kind: "collect"; readonly id: number }
  /** Responds to `ask`. */
  | { readonly kind: "metrics"; readonly id: number; readonly text: string };

/** What a worker sends to its parent. */
export type ToParent =
  | { readonly kind: "listens"; readonly url: string }
  /** Responds to `collect`. */
  | { readonly kind: "collected"; readonly id: number; readonly text: string }
  /** Asks for the metrics of all workers, with its own. */
  | { readonly kind: "ask"; readonly id: number; readonly text: string };
