"use strict";

const open = new Set();
let chosen = null;

async function branch(id) {
  const list = make("ul");
  for (const item of await get("state/tree/" + id)) {
    const line = make("div", { class: item.id === chosen ? "on" : null });
    const below = make("li", {}, line);
    const fold = make("button", { class: "fold", "aria-label": "Open" }, item.children ? "▸" : "");
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
      make("button", { class: "name", title: item.type ?? "collection", onclick: () => choose(item.id) },
        (item.deleted ? "🗑 " : "") + item.title),
      make("small", {}, item.kind === "collections" ? String(item.children) : item.versions > 1 ? `v${item.versions}` : ""));
    list.append(below);
    if (open.has(item.id) && item.children) await unfold();
  }
  return list;
}

async function drawTree() {
  $("tree").replaceChildren(await branch("top"));
}

async function choose(id) {
  chosen = id;
  location.hash = id;
  const found = await get("state/objects/" + id);
  if (found.error) {
    $("node").replaceChildren(make("p", { class: "hint" }, "There is no such object."));
    return;
  }
  found.above.forEach((above) => open.add(above.id));
  await drawTree();
  $("node").replaceChildren(...objectView(found));
}

const person = (info) => (info ? info.email : "");
const plain = (value) => value === null || ["string", "number", "boolean"].includes(typeof value);

/** Values, files, comments and the verdict of an object. */
function partsView({ metadata, formats, file_sets, files, segments, approval }) {
  const view = [];
  const named = (list, id) => list.find((one) => one.id === id)?.name ?? "";
  if (Object.keys(metadata).length) {
    view.push(...section("Metadata", rows(Object.entries(metadata))));
  }
  if (files.length) {
    const lines = files.slice(0, 50).map((file) => [file.original_name, named(formats, file.format_id),
      named(file_sets, file.file_set_id), file.status, make("td", { class: "number" }, size(file.size ?? 0)),
      make("code", {}, file.checksum ?? "")]);
    view.push(...section(`Files (${files.length})`, table(["Name", "Format", "File set", "Status", "Size", "Checksum"], lines)));
  }
  if (approval) {
    view.push(...section("Approval", table(["", "Status", "Changed"], [
      ["all", approval.status, when(approval.change_date)],
      ...approval.approvals_by.map((by) => [by.user ?? by.external, by.status, when(by.change_date)])])));
  }
  if (segments.length) {
    view.push(...section("Comments and segments", table(["When", "Kind", "At", "Text", "By"], segments.slice(0, 100).map((one) =>
      [when(one.date_created), one.segment_type, one.time_start_milliseconds, (one.parent_id ? "↳ " : "") + (one.segment_text ?? ""),
        person(one.user_info)]))));
  }
  return view;
}

function objectView({ kind, object, above, deleted, history, relations, ...rest }) {
  const view = [
    make("div", { class: "path" }, ...above.map((one) => make("button", { onclick: () => choose(one.id) }, one.title + " /"))),
    make("h1", {}, object.title),
    make("p", {}, make("span", { class: "tag" }, object.type ?? "COLLECTION"),
      object.category ? make("span", { class: "tag" }, object.category) : null,
      deleted ? make("span", { class: "tag held" }, "in the recycle bin") : null),
    ...section("Properties", rows(Object.entries(object)
      .filter(([name, value]) => plain(value) && value !== null && value !== "" && name !== "title")
      .map(([name, value]) => [name.replaceAll("_", " "), name.startsWith("date_") ? when(value) : value]))),
  ];
  if (object.versions) {
    view.push(...section("Versions", table(["", "Status", "Archive", "Made", "By", "Id"],
      [...object.versions].sort((one, other) => other.version_number - one.version_number).map((version) =>
        [version.version_number, version.status, version.archive_status, when(version.date_created),
          person(version.created_by_user_info), make("code", {}, version.id)]))));
  }
  view.push(...partsView(rest));
  if (relations.length) {
    view.push(...section("Relations", table(["To", "Relation", ""], relations.flatMap((one) => one.relations.map((relation) =>
      [make("button", { onclick: () => choose(one.id) }, one.title), relation.relation_type, relation.description])))));
  }
  if (history.length) {
    view.push(...section("History", table(["When", "What", "", "Who"],
      history.map((entry) => [when(entry.when), entry.what, entry.text, entry.who]))));
  }
  return view;
}

draw.repository = drawTree;
(location.hash.length > 1 ? choose(location.hash.slice(1)) : drawTree());
