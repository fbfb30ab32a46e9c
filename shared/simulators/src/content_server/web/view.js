"use strict";

function nodeView(node) {
  const parts = [
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

open.add("2000");
browse({
  view: nodeView,
  label: (item) => (item.held ? "⚑ " : "") + item.title,
  hint: (item) => item.type_name,
  note: (item) => item.container ? String(item.children) : item.size === null ? "" : size(item.size),
  first: 2000,
});
