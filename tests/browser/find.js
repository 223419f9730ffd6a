// Arguments: the number of a <psync-lab> or null for the document, a role, a name.
// Returns the first element that the browser itself gives this role and name, or
// { others: the names of the visible elements with this role }.
const [index, role, name] = arguments;

function* elements(root) {
  for (const element of root.querySelectorAll("*")) {
    yield element;
    if (element.shadowRoot) yield* elements(element.shadowRoot);
  }
}

// Asking the accessibility tree about each element of a large page takes seconds: elements that
// cannot have the role are not asked.
const candidates = {
  alert: "[role=alert]",
  button: "button, [role=button], input, summary",
  combobox: "select, input, [role=combobox]",
  dialog: "dialog, [role=dialog]",
  region: "section, [role=region]",
  slider: "input, [role=slider]",
  tab: "[role=tab]",
  textbox: "input, textarea, [role=textbox]",
}[role] ?? "*";

const host = index === null ? document : document.querySelectorAll("psync-lab")[index];
if (!host) throw new Error(`there is no psync-lab number ${index}`);
const others = [];
for (const element of elements(host.shadowRoot ?? host)) {
  if (!element.matches(candidates)) continue;
  if (element.computedRole === undefined) {
    throw new Error("this browser does not tell the accessibility tree to scripts");
  }
  if (element.computedRole !== role || !element.checkVisibility()) continue;
  if (element.computedName === name) return element;
  others.push(element.computedName);
}
return { others };
