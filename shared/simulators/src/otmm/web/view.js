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
    line.append(fold, make("button", { class: "name", title: item.kind, onclick: () => choose(item.id) }, item.title),
      make("small", {}, item.deleted ? "deleted" : item.kind));
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

const holder = (lock) => lock.holder.user ? "user " + lock.holder.user : "job " + lock.holder.job;

function objectView({ asset, above, versions, expired, jobs }) {
  const view = [
    make("div", { class: "path" }, ...above.map((one) => make("button", { onclick: () => choose(one.id) }, one.title + " /"))),
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

draw.repository = drawTree;
(location.hash.length > 1 ? choose(location.hash.slice(1)) : drawTree());
