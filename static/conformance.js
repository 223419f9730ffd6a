// The conformance table: conformance.json, which `cargo xtask test` writes, as rows to read.

const COLUMNS = [
  ["suite", "Suite", "name"],
  ["server", "Real server", "name"],
  ["engine", "Our engine", "name"],
  ["schedules", "Schedules", "number"],
  ["requests", "Requests", "number"],
  ["checks", "Checks", "number"],
  ["disagreements", "Disagreements", "number"],
  ["seed", "Seed", "number"],
];
const SUMS = ["schedules", "requests", "checks", "disagreements"];

// Never as markup: what stands in the file is text.
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

function shown(key, value) {
  if (value === undefined || value === null) return "\u2013";
  return typeof value === "number" && key !== "seed" ? grouped(value) : String(value);
}

function cell(row, [key, , kind], first) {
  const judged = key === "disagreements" ? (row[key] === 0 ? " good" : " bad") : "";
  const properties = { className: kind + judged, textContent: shown(key, row[key]) };
  return first ? element("th", { ...properties, scope: "row" }) : element("td", properties);
}

function table({ date, rows }) {
  const head = COLUMNS.map(([, title, kind]) =>
    element("th", { scope: "col", className: kind, textContent: title }));
  const body = rows.map((row) =>
    element("tr", {}, ...COLUMNS.map((column, index) => cell(row, column, index === 0))));
  const total = Object.fromEntries(
    SUMS.map((key) => [key, rows.reduce((sum, row) => sum + (row[key] ?? 0), 0)]),
  );
  const foot = COLUMNS.map((column, index) => {
    if (index === 0) return element("th", { scope: "row", textContent: "In all" });
    return SUMS.includes(column[0]) ? cell(total, column, false) : element("td");
  });
  return element("table", {},
    element("caption", { textContent: date ? `Test run of ${date}` : "Test run" }),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
    element("tfoot", {}, element("tr", {}, ...foot)));
}

function empty() {
  return element("p", { className: "empty" },
    "No run has been recorded yet: run ",
    element("code", { textContent: "cargo xtask test" }),
    " to fill this table.");
}

const place = document.getElementById("table");
try {
  const answer = await fetch(new URL("conformance.json", import.meta.url));
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const found = await answer.json();
  const frame = () => element("div",
    { className: "frame", tabIndex: 0, role: "region", ariaLabel: "Conformance table" },
    table(found));
  place.replaceChildren(found.rows.length > 0 ? frame() : empty());
} catch (error) {
  place.replaceChildren(
    element("p", { role: "alert", textContent: `conformance.json could not be read: ${error.message}` }));
}
