"use strict";

const holder = (lock) => lock.holder.user ? "user " + lock.holder.user : "job " + lock.holder.job;

function objectView({ asset, versions, expired, jobs }) {
  const view = [
    make("h1", {}, asset.name),
    make("p", {}, make("span", { class: "tag" }, asset.folder_type || "version " + asset.version),
      ...asset.policies.map((policy) => make("span", { class: "tag" }, "policy " + policy)),
      asset.lock ? make("span", { class: "tag held" }, "locked by " + holder(asset.lock)) : null,
      asset.check_out ? make("span", { class: "tag held" }, "checked out by " + holder(asset.check_out)) : null,
      expired ? make("span", { class: "tag held" }, "expired") : null,
      asset.deleted ? make("span", { class: "tag held" }, "deleted") : null),
    ...section("Properties", rows([["id", make("code", {}, asset.id)], ["original", make("code", {}, asset.original_id)],
      ["model", asset.model], ["imported", when(asset.imported)], ["changed", when(asset.updated)]])),
  ];
  const files = [asset.master, asset.thumbnail, asset.preview, asset.pdf].filter(Boolean);
  if (files.length) {
    view.push(...section("Files", table(["Kind", "File", "Size", "MD5", ""], files.map((file) => [file.kind, file.name,
      make("td", { class: "number" }, size(file.content.size)), make("code", {}, file.md5), file.offline ? "offline" : ""]))));
  }
  const values = Object.entries(asset.values);
  if (values.length) {
    view.push(...section("Fields", table(["Field", "Value"], values.map(([id, value]) => [id, String(value)]))));
  }
  const columns = Object.entries(asset.columns);
  if (columns.length) {
    view.push(...section("Tables, by column", table(["Column", "Rows"], columns.map(([id, list]) =>
      [id, list.map((value) => value === null ? "–" : value).join(" · ")]))));
  }
  if (versions.length > 1) {
    view.push(...section("Versions", table(["Version", "", ""], versions.map((one) =>
      [String(one.version), make("button", { onclick: () => choose(one.id) }, one.id), one.latest ? "latest" : ""]))));
  }
  if (jobs.length) {
    view.push(...section("Jobs", table(["Job", "What", "State", "Since"], jobs.map((job) =>
      [String(job.id), job.kind, typeof job.phase === "string" ? job.phase : "failed: " + job.phase.failed, when(job.made)]))));
  }
  return view;
}

browse({ view: objectView, note: (item) => item.deleted ? "deleted" : item.kind });
