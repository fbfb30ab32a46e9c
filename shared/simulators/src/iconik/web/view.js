"use strict";

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

function objectView({ object, deleted, history, relations, ...rest }) {
  const view = [
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

browse({
  view: objectView,
  label: (item) => (item.deleted ? "🗑 " : "") + item.title,
  hint: (item) => item.type ?? "collection",
  note: (item) => item.kind === "collections" ? String(item.children) : item.versions > 1 ? `v${item.versions}` : "",
});
