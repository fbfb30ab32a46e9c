"use strict";

function filesOf(part) {
  return part.generations.flatMap((generation, at) => generation.bitstreams.map((file) =>
    [part.title, at + 1, generation.active ? "active" : "", file.filename, make("td", { class: "number" }, size(file.content.size)),
      make("code", {}, file.fixities.map(([name, value]) => name + " " + value).join(" ")), file.cold ? "cold" : ""]));
}

function objectView({ entity, events, parts, fragments, policies, holds }) {
  const view = [
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

browse({ view: objectView, note: (item) => item.kind });
