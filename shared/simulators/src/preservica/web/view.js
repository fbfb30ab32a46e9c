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
      make("small", {}, item.kind));
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

function filesOf(part) {
  return part.generations.flatMap((generation, at) => generation.bitstreams.map((file) =>
    [part.title, at + 1, generation.active ? "active" : "", file.filename, make("td", { class: "number" }, size(file.content.size)),
      make("code", {}, file.fixities.map(([name, value]) => name + " " + value).join(" ")), file.cold ? "cold" : ""]));
}

function objectView({ entity, above, events, parts, fragments, policies, holds }) {
  const view = [
    make("div", { class: "path" }, ...above.map((one) => make("button", { onclick: () => choose(one.id) }, one.title + " /"))),
    make("h1", {}, entity.title),
    make("p", {}, make("span", { class: "tag" }, entity.kind), make("span", { class: "tag" }, entity.security_tag),
      ...holds.map((hold) => make("span", { class: "tag held" }, "held: " + hold)),
      ...policies.map((policy) => make("span", { class: "tag" }, "kept: " + policy)),
      entity.deleted ? make("span", { class: "tag held" }, "deleted") : null),
    ...section("Properties", rows([["reference", make("code", {}, entity.reference)], ["description", entity.description],
      ["custom type", entity.custom_type], ["created", when(entity.created)], ["changed", when(entity.changed)]])),
  ];
  if (entity.identifiers.length) {
    view.push(...section("Identifiers", table(["Type", "Value"], entity.identifiers.map((id) => [id.kind, id.value]))));
  }
  for (const one of entity.representations) {
    const inside = parts.filter((part) => one.content_objects.includes(part.reference));
    view.push(...section(`${one.kind}: ${one.name}`,
      table(["Part", "Generation", "", "File", "Size", "Fixity", ""], inside.flatMap(filesOf))));
  }
  if (entity.generations.length) {
    view.push(...section("Files", table(["Part", "Generation", "", "File", "Size", "Fixity", ""], filesOf(entity))));
  }
  for (const fragment of fragments) {
    view.push(...section(fragment.schema, make("pre", {}, fragment.xml)));
  }
  if (events.length) {
    view.push(...section("Events", table(["When", "What", "", "Who"],
      events.map((event) => [when(event.when), event.what, event.command, event.who]))));
  }
  return view;
}

draw.repository = drawTree;
(location.hash.length > 1 ? choose(location.hash.slice(1)) : drawTree());
