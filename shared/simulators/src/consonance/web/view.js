"use strict";

const isPlain = (value) => value === null || ["string", "number", "boolean"].includes(typeof value);

function workView({ work, products, contributions, contracts, resources, production_files, web_links }) {
  const view = [
    make("h1", {}, work.title),
    make("p", {}, make("span", { class: "tag" }, work.projectStage ?? "no stage")),
    ...section("Work", rows(Object.entries(work).filter(([, value]) => isPlain(value) && value !== null))),
    ...section("Products", table(["Id", "Title", "ISBN", "Kind", "Status", "Published", "Changed"], products.map((one) =>
      [one.id, one.fullTitle, one.isbn?.isbnWithDashes ?? "No ISBN", one.__typename, one.status, one.publicationDate,
        one.changedOn]))),
  ];
  const lists = [
    ["Contributions", contributions, ["sequenceNumber", "onixContributorRoleCode", "contributorId", "productIds"]],
    ["Contracts", contracts, ["id", "contractName", "signedDate", "term", "terminatedDate", "description"]],
    ["Images", resources, ["id", "filename", "fileSize", "url", "productIds"]],
    ["Production files", production_files, ["id", "filename", "fileSize", "fileVariant", "approvalStatus"]],
    ["Links", web_links, ["id", "link", "description", "includeInOnix"]],
  ];
  for (const [title, records, names] of lists) {
    if (records.length) view.push(...section(title, table(names, records.map((one) => names.map((name) => one[name])))));
  }
  return view;
}

browse({ view: workView, hint: (item) => item.stage, note: (item) => String(item.products) });
