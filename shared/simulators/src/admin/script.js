"use strict";

const get = async (path) => (await fetch("/_simulator/" + path)).json();
const $ = (id) => document.getElementById(id);

/** Builds an element; text is never read as HTML. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const when = (text) => (text ? text.replace("T", " ").replace(/\.\d+/, "").replace("Z", "") : "");
const size = (bytes) => {
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) { bytes /= 1024; unit += 1; }
  return (unit ? bytes.toFixed(1) : bytes) + " " + units[unit];
};
const show = (value) => {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length ? value.map(show).join(", ") : "–";
  return String(value);
};
const rows = (pairs) => make("div", { class: "card" }, make("table", {}, ...pairs.map(([name, value]) =>
  make("tr", {}, make("th", {}, name), make("td", {}, value instanceof Node ? value : show(value))))));
const table = (heads, lines) => make("div", { class: "card" }, make("table", {},
  make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", {}, head)))),
  make("tbody", {}, ...lines.map((cells) => make("tr", {}, ...cells.map((cell) =>
    cell instanceof Node && cell.tagName === "TD" ? cell : make("td", {}, cell instanceof Node ? cell : show(cell))))))));
const section = (title, body) => [make("h2", {}, title), body];

const open = new Set();
let chosen = null;
let shown = null;

/** What is inside an object, as a list that opens. */
async function branch(id) {
  const list = make("ul");
  for (const item of await get("state/tree/" + id)) {
    const key = String(item.id);
    const line = make("div", { class: key === chosen ? "on" : null });
    const below = make("li", {}, line);
    const fold = make("button", { class: "fold", "aria-label": "Open" }, item.children ? "▸" : "");
    const unfold = async () => {
      fold.textContent = "▾";
      open.add(key);
      below.append(await branch(key));
    };
    fold.addEventListener("click", async () => {
      if (below.children.length > 1) {
        below.lastChild.remove();
        open.delete(key);
        fold.textContent = "▸";
      } else if (item.children) {
        await unfold();
      }
    });
    line.append(fold, make("button", { class: "name", title: shown.hint(item), onclick: () => choose(key) }, shown.label(item)),
      make("small", {}, shown.note(item)));
    list.append(below);
    if (open.has(key) && item.children) await unfold();
  }
  return list;
}

async function drawTree() {
  $("tree").replaceChildren(await branch("top"));
}

async function choose(id) {
  chosen = String(id);
  location.hash = chosen;
  const found = await get("state/objects/" + chosen);
  if (found.error) {
    $("node").replaceChildren(make("p", { class: "hint" }, "There is no such object."));
    return;
  }
  const above = found.above ?? [];
  above.forEach((one) => open.add(String(one.id)));
  await drawTree();
  $("node").replaceChildren(
    make("div", { class: "path" }, ...above.map((one) => make("button", { onclick: () => choose(one.id) }, one.title + " /"))),
    ...shown.view(found));
}

/**
 * Shows what a simulator holds. `view` draws an object; `label`, `hint` and `note` say what stands in the tree for an item,
 * over it, and after it; `first` is chosen when the address names nothing.
 */
function browse({ view, label = (item) => item.title, hint = (item) => item.kind, note = () => "", first = null }) {
  shown = { view, label, hint, note };
  draw.repository = drawTree;
  const wanted = location.hash.slice(1) || first;
  return wanted ? choose(wanted) : drawTree();
}

async function drawJournal() {
  const journal = await get("journal");
  const lines = journal.entries.slice(-500).reverse().map((entry) => [
    entry.sequence, when(entry.time), entry.user, entry.method,
    make("code", {}, decodeURI(entry.path) + (entry.query ? "?" + entry.query : "")),
    make("span", { class: entry.status >= 200 && entry.status < 300 ? "good" : "bad" },
      entry.status === 0 ? "cut" : String(entry.status)),
    entry.unknown ? "unknown URL" : entry.fault, make("td", { class: "number" }, entry.received ? size(entry.received) : "")]);
  $("calls").replaceChildren(make("p", { class: "hint" }, `${journal.count} calls`),
    table(["", "When", "User", "", "Call", "Answer", "Fault", "Received"], lines));
}

async function drawSettings() {
  $("switches").value = JSON.stringify(await get("settings"), null, 2);
}

$("apply").addEventListener("click", async () => {
  const answer = await fetch("/_simulator/settings", { method: "PUT", body: $("switches").value });
  const json = await answer.json();
  $("applied").textContent = answer.ok ? "Applied." : json.error;
  $("applied").className = answer.ok ? "good" : "bad";
});

/** What draws each view; the view of the simulator sets the first. */
const draw = { journal: drawJournal, settings: drawSettings };
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", async () => {
    for (const other of document.querySelectorAll("[data-view]")) {
      other.classList.toggle("on", other === button);
      $(other.dataset.view).hidden = other !== button;
    }
    await draw[button.dataset.view]();
  });
}

async function tick() {
  $("clock").textContent = when((await get("clock")).now) + " UTC";
  if (!$("journal").hidden) await drawJournal();
}

tick();
setInterval(tick, 3000);
