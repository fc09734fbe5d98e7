import { useState } from "preact/hooks";
import { addressOf } from "./location.js";
import { Text } from "./text.js";

/** A key whose directories are links, and its link for others. */
export function KeyPath({ value }: { readonly value: string }) {
  const names = value.split("/").slice(1);
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(window.location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <div class="key-path">
      <h2>
        <a href={addressOf("keys")} aria-label="the root">
          /
        </a>
        {value !== "/" &&
          names.map((name, at) => {
            const key = `/${names.slice(0, at + 1).join("/")}`;
            const isLast = at === names.length - 1;
            return (
              <span key={key}>
                {at > 0 && <span class="slash">/</span>}
                <a href={addressOf("keys", key)} aria-current={isLast ? "page" : undefined}>
                  <Text>{name}</Text>
                </a>
              </span>
            );
          })}
      </h2>
      <button type="button" class="plain" onClick={() => void copy()}>
        {isCopied ? "Copied" : "Copy link"}
      </button>
    </div>
  );
}
