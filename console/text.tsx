import { piecesOf } from "./visible-text.js";

/** A text of the cluster, which may be hostile. It is never interpreted, and cannot change the text around it. */
export function Text({ children, kept }: { readonly children: string; readonly kept?: string }) {
  return (
    <bdi>
      {piecesOf(children, kept).map((piece, at) =>
        "text" in piece ? (
          piece.text
        ) : (
          <span key={at} class="mark" title={piece.title}>
            {piece.mark}
          </span>
        ),
      )}
    </bdi>
  );
}
