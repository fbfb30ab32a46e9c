"use strict";

const open = new Set();
let chosen = null;

async function branch(id) {
  const list = make("ul");
  for (const item of await get("state/tree/" + id)) {
    const line = make("div", { class: item.id === chosen ? "on" : null });
    const below = make("li", {}, line);
    const fold = make("button", { class: "fold", "aria-label": "Open" }, item.container && item.children ? "▸" : "");
    const unfold = async () => {
      fold.textContent = "▾";
      open.add(item.id);
      below.append(await branch(item.id));
    };
    fold.addEventListener("click", async () => {
      if (below.children.length > 1) {
        below.lastChild.remove();
        open.delete(item.id);
        fold.textContent = "▸";
      } else if (item.children) {
        await unfold();
      }
    });
    line.append(fold,
      make("button", { class: "name", title: item.type_name, onclick: () => choose(item.id) },
        (item.held ? "⚑ " : "") + item.name),
      make("small", {}, item.container ? String(item.children) : item.size === null ? "" : size(item.size)));
    list.append(below);
    if (open.has(item.id) && item.children) await unfold();
  }
  return list;
}

async function drawTree() {
  const tree = await branch(-1);
  $("tree").replaceChildren(tree);
}

async function choose(id) {
  chosen = id;
  location.hash = String(id);
  const node = await get("state/nodes/" + id);
  if (node.error) {
    $("node").replaceChildren(make("p", { class: "hint" }, "There is no such item."));
    return;
  }
  node.ancestors.slice(0, -1).forEach((above) => open.add(above.id));
  await drawTree();
  $("node").replaceChildren(...nodeView(node));
}

function nodeView(node) {
  const parts = [
    make("div", { class: "path" }, ...node.ancestors.slice(0, -1).map((above) =>
      make("button", { onclick: () => choose(above.id) }, above.name + " /"))),
    make("h1", {}, node.name),
    make("p", {}, make("span", { class: "tag" }, node.type_name),
      ...node.class_names.map((name) => make("span", { class: "tag" }, name)),
      ...node.hold_names.map((name) => make("span", { class: "tag held" }, "⚑ " + name)),
      node.reserved ? make("span", { class: "tag held" }, "reserved") : null),
    ...section("Properties", rows([
      ["Number", node.id], ["Description", node.description], ["Created", `${when(node.created)} · ${node.created_by}`],
      ["Modified", when(node.modified)], ["Nickname", node.nickname], ["Address", node.url],
      ...Object.entries(node.external).filter(([, value]) => value).map(([key, value]) => ["External " + key.replace("_", " "), value]),
      ...(node.workspace && node.workspace.references.length ? [["Business object",
        node.workspace.references.map((one) => `${one.system} / ${one.kind} / ${one.id}`)]] : []),
    ].filter(([name, value]) => value || name === "Description"))),
  ];
  if (node.versions.length) {
    parts.push(...section("Versions", table(["", "File", "Type", "Size", "SHA-256", "Added", ""],
      [...node.versions].reverse().map((version) => [
        version.label, version.file_name, version.mime_type, make("td", { class: "number" }, size(version.size)),
        make("code", { title: version.sha256 }, version.sha256.slice(0, 16) + "…"), `${when(version.created)} · ${version.owner}`,
        make("a", { href: `/_simulator/content/${node.id}/${version.number}` }, "download")]))));
  }
  for (const category of node.category_view) {
    const name = (key) => {
      const numbers = key.split("_");
      const metadata = category.metadata;
      if (numbers.length < 4) return metadata[key]?.name ?? key;
      const [id, set, row, member] = numbers;
      return `${metadata[`${id}_${set}`]?.name} ${row}: ${metadata[`${id}_${set}_x_${member}`]?.name}`;
    };
    parts.push(...section(category.name, rows(Object.entries(category.values).map(([key, value]) => [name(key), value]))));
  }
  if (node.record) parts.push(...section("Record", rows(Object.entries(node.record).map(([key, value]) => [key.replaceAll("_", " "), value]))));
  if (node.workflows.length) {
    parts.push(...section("Workflows", table(["", "Title", "Status", "With", "Steps done"], node.workflows.map((one) =>
      [one.id, one.title, one.status, one.status === "running" ? one.assignee : "–",
        one.finished.map((step) => `${step.step}: ${step.action}`)]))));
  }
  parts.push(
    ...section("Rights", table(["Who", "", "May"], node.permission_view.map((one) =>
      [one.name ?? "everybody", one.type, one.permissions.map((right) => right.replaceAll("_", " "))]))),
    ...section("Audit", node.audit.length
      ? table(["When", "What", "Who"], node.audit.map((event) => [when(event.at), event.name, event.user]))
      : make("p", { class: "hint" }, "Nothing yet.")));
  return parts;
}

draw.repository = drawTree;
open.add(2000);
choose(Number(location.hash.slice(1)) || 2000);
