// The <psync-lab> element: what a page includes to embed the lab.
//
// It loads the WebAssembly module once for all elements of a page, from beside
// this file, when the first of them becomes visible. If that fails, the element
// says so in words; the page around it is not disturbed.

let loading = null;

function load() {
  loading ??= (async () => {
    const bindings = await import(new URL("wasm/psync-lab.js", import.meta.url));
    await bindings.default();
    return bindings;
  })();
  return loading;
}

function explain(root, error) {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.textContent =
    "PSYNC Lab could not start: its WebAssembly module did not load " +
    `(${error instanceof Error ? error.message : error}). ` +
    "A current browser and a server that delivers the wasm folder are needed.";
  root.replaceChildren(message);
}

class PsyncLab extends HTMLElement {
  #visible = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) this.#start();
  });

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
  }

  connectedCallback() {
    this.#visible.observe(this);
  }

  disconnectedCallback() {
    this.#visible.disconnect();
  }

  async #start() {
    this.#visible.disconnect();
    try {
      const bindings = await load();
      bindings.mount?.(this);
      this.dataset.state = "ready";
    } catch (error) {
      this.dataset.state = "failed";
      explain(this.shadowRoot, error);
    }
  }
}

if (!customElements.get("psync-lab")) customElements.define("psync-lab", PsyncLab);
