/** The element `<etcdnet-playground>`. Its code is loaded when a page shows it, and only in a browser. */
export function definePlayground(): void {
  if (typeof customElements === "undefined" || customElements.get("etcdnet-playground")) return;
  customElements.define("etcdnet-playground", playgroundElement());
}

function playgroundElement(): CustomElementConstructor {
  return class extends HTMLElement {
    #unmount: (() => void) | undefined;

    async connectedCallback(): Promise<void> {
      provideSymbols();
      const { mount } = await import("../playground/view.js");
      if (this.isConnected) this.#unmount = mount(this);
    }

    disconnectedCallback(): void {
      this.#unmount?.();
    }
  };
}

/** The symbols of `using`, for browsers that do not have them yet. */
function provideSymbols(): void {
  for (const name of ["dispose", "asyncDispose"]) {
    if (name in Symbol) continue;
    Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
  }
}
