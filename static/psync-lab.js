// The <psync-lab> element: what a page includes to embed the lab.
//
//   <script type="module" src="psync-lab.js"></script>
//   <psync-lab preset="short-blip" theme="auto" autoplay></psync-lab>
//
// Attributes: every key of a scenario (preset, engine, seed, replicas; config,
// workload and network as JSON), what is inside those three by its own name
// (repl-backlog-size, writes-per-second, latency-us, ...), and
//   theme="auto|light|dark|contrast"  autoplay  speed="10"  from-url
//   lesson="two-windows"  one of the nine lessons by its name or number; it goes
//                         before the scenario, and time runs where a step waits
//   presentation          large type, and a presenter's keys turn the pages
//   autofocus             its keys work at once, if nothing else has the focus; otherwise
//                         they do from the first click in it, or by Tab
//   compare='{"engine": "redis-6.2", "config": {"repl-backlog-size": "32kb"}}'
// With compare a second run stands beside the first, with the same seed and
// actions, and with this difference: engine, config or both.
// With from-url the keys of the page's query and fragment override them. The key
// run, made by "Share", is a whole run with its moment, and stands for itself.
//
// Methods, all async: snapshot() decisions() act(action) play() pause() step()
// seek(us) advance(us) scenario() load(scenario). They may be called before the
// module has loaded and while the element cannot be seen.
// Events, bubbling and composed: psync-decision psync-change psync-error.
// Numbers are plain numbers; one above 2^53 - 1 is an error, never rounded.
//
// The WebAssembly module is loaded once for all elements of a page, from beside
// this file, when the first of them becomes visible or is called. Nothing moves
// off screen or in a background tab.

const beside = (name) => new URL(name, import.meta.url).href;

let loading = null;

function load() {
  loading ??= (async () => {
    const bindings = await import(beside("wasm/psync-lab.js"));
    await bindings.default();
    return bindings;
  })();
  return loading;
}

// A sheet that does not load must not keep the lab from starting.
function sheet() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = beside("psync-lab.css");
  const loaded = new Promise((done) => {
    link.onload = link.onerror = done;
  });
  return { link, loaded };
}

// A longer file is not even read, and a link that unpacks to more is none of ours.
const LONGEST_FILE = 4 << 20;

// What links carry is packed by zlib, and written in base64url (src/cluster/share.rs).
async function through(zlib, data, most = Infinity) {
  const reader = new Blob([data]).stream().pipeThrough(zlib).getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    length += value.length;
    if (length > most) throw new Error("link unpacks to more than 4 MB");
    parts.push(value);
  }
}

async function unpacked({ letters }, link) {
  const base64 = letters(link).replaceAll("-", "+").replaceAll("_", "/");
  try {
    const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return await (await through(new DecompressionStream("deflate"), data, LONGEST_FILE)).text();
  } catch (error) {
    if (error.message.endsWith("4 MB")) throw error;
    throw new Error("link is damaged: letters are missing or wrong");
  }
}

// Without news from a file that is dragged, it has gone elsewhere.
const DRAG_ENDS_MS = 600;

// A lab may be a page, a figure in an article or a card. Which of them follows
// from its own box: its width is the business of container queries; its height
// is only known here, because a box whose height follows its content cannot be
// asked for it in CSS.
function fit(height) {
  if (height <= 300) return "card";
  return height <= 560 ? "figure" : "page";
}

class PsyncLab extends HTMLElement {
  #root = document.createElement("div");
  #sheet = sheet();
  #started = null;
  #lab = null;
  #visible = false;
  #life = 0;
  #turn = 0;
  #packing = 0;
  #taking = 0;
  #configuring = null;
  #link = null;
  #carried = null;

  #seen = new IntersectionObserver((entries) => {
    this.#visible = entries.at(-1).isIntersecting;
    if (this.#visible) this.#start().catch(() => {});
    this.#show();
  });

  // Measured as if nothing were known yet, so that a fit never keeps itself alive.
  #sized = new ResizeObserver(() => {
    if (!this.#root.firstElementChild) return;
    delete this.#root.dataset.fit;
    const height = this.clientHeight;
    this.#root.style.setProperty("--fit-height", `${height}px`);
    this.#root.dataset.fit = fit(height);
  });

  #attributes = new MutationObserver(() => this.#configure());
  #turned = () => this.#show();
  #moved = () => {
    if (this.hasAttribute("from-url")) this.#configure();
  };

  // A file that is dropped on the element is opened by it.
  #ends = 0;
  #dragged = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    clearTimeout(this.#ends);
    const over = event.type === "dragover";
    this.#root.toggleAttribute("data-drop", over);
    if (over) this.#ends = setTimeout(() => this.#root.removeAttribute("data-drop"), DRAG_ENDS_MS);
    else this.#take(event.dataTransfer.files[0]);
  };

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: "open" });
    this.#root.className = "mount";
    this.#root.hidden = true;
    // A click beside all controls gives it the focus, and with that the keys.
    this.#root.tabIndex = -1;
    this.#root.dataset.beside = beside("./");
    this.#root.addEventListener("change", ({ target }) => {
      if (target.type !== "file") return;
      this.#take(target.files[0]);
      target.value = "";
    });
    for (const type of ["dragover", "drop"]) this.addEventListener(type, this.#dragged);
    shadow.append(this.#sheet.link, this.#root);
  }

  connectedCallback() {
    this.#seen.observe(this);
    this.#sized.observe(this);
    this.#sized.observe(this.#root);
    this.#attributes.observe(this, { attributes: true });
    document.addEventListener("visibilitychange", this.#turned);
    window.addEventListener("hashchange", this.#moved);
  }

  disconnectedCallback() {
    this.#seen.disconnect();
    this.#sized.disconnect();
    this.#attributes.disconnect();
    document.removeEventListener("visibilitychange", this.#turned);
    window.removeEventListener("hashchange", this.#moved);
    this.#visible = false;
    this.#show();
    // Being moved inside a document is a leave and a return at once: the run goes on.
    queueMicrotask(() => {
      if (!this.isConnected) this.#end();
    });
  }

  #end() {
    this.#lab?.destroy();
    this.#lab?.free();
    this.#lab = null;
    this.#started = null;
    this.#life += 1;
    this.#root.replaceChildren();
  }

  async snapshot() { return (await this.#ready()).snapshot(); }
  async decisions() { return (await this.#ready()).decisions(); }
  async act(action) { return (await this.#ready()).act(action); }
  async play() { return (await this.#ready()).play(); }
  async pause() { return (await this.#ready()).pause(); }
  async step() { return (await this.#ready()).step(); }
  async seek(us) { return (await this.#ready()).seek(us); }
  async advance(us) { return (await this.#ready()).advance(us); }
  async scenario() { return (await this.#ready()).scenario(); }
  async load(scenario) { return (await this.#ready()).load(scenario); }

  // What the attributes say counts before what is asked of the lab.
  async #ready() {
    const lab = await this.#start();
    await this.#configuring;
    return lab;
  }

  #start() {
    this.#started ??= this.#mount();
    return this.#started;
  }

  async #mount() {
    const life = this.#life;
    try {
      // Outside of a document a sheet does not load, and there is nothing to be seen.
      const [bindings] = await Promise.all([load(), this.isConnected && this.#sheet.loaded]);
      const pairs = await this.#pairs();
      // Taken out meanwhile: what comes after that begins anew.
      if (life !== this.#life) return this.#start();
      this.#root.hidden = false;
      // A link leads to this page if that is where links are read, else to the lab's own.
      const here = this.hasAttribute("from-url");
      this.#root.dataset.home = here ? location.href.split(/[?#]/)[0] : beside("./");
      this.#lab = new bindings.Lab(this, this.#root, pairs, this.#pack);
      this.dataset.state = "ready";
      this.#show();
      // They may have changed while a link was unpacked.
      this.#configure();
      if (this.autofocus && document.activeElement === document.body) {
        this.#root.focus({ preventScroll: true });
      }
      return this.#lab;
    } catch (error) {
      this.#explain(error);
      throw error;
    }
  }

  #configure() {
    if (!this.#lab) return;
    const turn = (this.#turn += 1);
    this.#configuring = this.#pairs().then((pairs) => {
      if (turn === this.#turn) this.#lab?.configure(pairs);
    });
  }

  // [where, name, value] of everything that may say something about the scenario;
  // what the lab does not know, it ignores: attributes belong to other scripts too.
  // Of a link also what it carries, or nothing and what is wrong with it.
  async #pairs() {
    const pairs = [...this.attributes].map(({ name, value }) => ["attribute", name, value]);
    if (this.hasAttribute("from-url")) {
      for (const part of [location.search.slice(1), location.hash.slice(1)]) {
        for (const [name, value] of new URLSearchParams(part)) pairs.push(["URL", name, value]);
      }
    }
    for (const pair of pairs.filter(([, name]) => name === "run")) {
      pair.push(...(await this.#carries(pair[2])));
    }
    return pairs;
  }

  // Unpacked once, however often other attributes change.
  #carries(link) {
    if (link !== this.#link) {
      this.#link = link;
      this.#carried = load()
        .then((bindings) => unpacked(bindings, link))
        .then((text) => [text], (error) => [null, error.message]);
    }
    return this.#carried;
  }

  // Of two that are asked for only the later one is shown; without a link there is still the file.
  #pack = async (text) => {
    const turn = (this.#packing += 1);
    let base64 = "";
    try {
      const packed = await through(new CompressionStream("deflate"), text);
      const bytes = Array.from(new Uint8Array(await packed.arrayBuffer()));
      base64 = btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""));
    } catch (error) {
      console.warn(error);
    }
    base64 = base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    if (turn === this.#packing) this.#lab?.packed(base64);
  };

  async #take(file) {
    if (!file) return;
    const turn = (this.#taking += 1);
    let text = null;
    let problem = "it is longer than 4 MB";
    try {
      await this.#start();
      const bindings = await load();
      if (file.size <= LONGEST_FILE) {
        const read = await file.text();
        const link = bindings.link_in(read);
        text = link === undefined ? read : await unpacked(bindings, link);
      }
    } catch (error) {
      problem = error.message;
    }
    // Another file came meanwhile.
    if (turn !== this.#taking) return;
    if (text === null) this.#lab?.refuse(file.name, problem);
    else this.#lab?.open(file.name, text);
  }

  #show() {
    const seen = this.#visible && document.visibilityState === "visible";
    this.#root.toggleAttribute("data-away", !seen);
    this.#lab?.set_visible(seen);
  }

  #explain(error) {
    const message = document.createElement("p");
    message.className = "broken";
    message.setAttribute("role", "alert");
    const cause = error instanceof Error ? error.message : String(error);
    message.textContent =
      `PSYNC Lab could not start: its WebAssembly module did not load (${cause}). ` +
      "It needs a current browser, and a server that delivers the folder wasm beside psync-lab.js.";
    this.#root.hidden = false;
    this.#root.replaceChildren(message);
    this.dataset.state = "failed";
    const detail = { message: message.textContent };
    this.dispatchEvent(new CustomEvent("psync-error", { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("psync-lab")) customElements.define("psync-lab", PsyncLab);
