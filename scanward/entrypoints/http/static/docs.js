// Renders /openapi.json: every operation with its parameters, body, answers and a curl line.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete", "head"];

function make(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, options);
  node.append(...children.filter((child) => child !== null));
  return node;
}

function typeOf(schema, all) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, all)).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === "array") return `list of ${typeOf(schema.items, all)}`;
  return [schema.type, schema.format].filter(Boolean).join(", ") || "any";
}

function table(caption, heads, rows) {
  if (!rows.length) return null;
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", textContent: text })));
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, place) =>
    place ? make("td", { textContent: cell }) : make("th", { scope: "row" }, make("code", { textContent: cell })))));
  return make("div", {}, make("h3", { textContent: caption }), make("div", { className: "scroll" },
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))));
}

function parametersOf(operation, all) {
  return (operation.parameters || []).map((one) => [one.name, one.in + (one.required ? ", required" : ""),
    typeOf(one.schema, all), one.schema.default === undefined ? "" : String(one.schema.default), one.description || ""]);
}

function curlOf(method, path, operation) {
  const parts = ["curl", "-H 'Authorization: Bearer TOKEN'"];
  if (method !== "get") parts.push(`-X ${method.toUpperCase()}`);
  const body = operation.requestBody && operation.requestBody.content;
  if (body && body["multipart/form-data"]) parts.push("-F files=@image.dcm");
  if (body && body["application/json"]) parts.push("-H 'Content-Type: application/json' -d '{…}'");
  return [...parts, `'${location.origin}${path}'`].join(" ");
}

function operationOf(method, path, operation, all) {
  const answers = Object.entries(operation.responses).map(([status, answer]) => {
    const kinds = Object.entries(answer.content || {});
    return [status, answer.description, kinds.map(([kind, one]) => [kind, typeOf(one.schema, all)].filter(Boolean).join(": ")).join("; ")];
  });
  const bodies = operation.requestBody ? Object.entries(operation.requestBody.content) : [];
  return make("details", { className: "operation" },
    make("summary", {}, make("span", { className: "method", textContent: method.toUpperCase() }),
      make("code", { textContent: path }), make("span", { textContent: operation.summary || "" })),
    make("p", { textContent: operation.description || "" }),
    table("Parameters", ["Name", "Where", "Type", "Default", "Meaning"], parametersOf(operation, all)),
    table("Body", ["Kind", "Type"], bodies.map(([kind, one]) => [kind, typeOf(one.schema, all)])),
    table("Answers", ["Status", "Meaning", "Type"], answers),
    make("pre", {}, make("code", { textContent: curlOf(method, path, operation) })));
}

function schemaOf(name, schema, all) {
  const needed = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([field, one]) =>
    [field, typeOf(one, all) + (needed.has(field) ? "" : ", optional"), one.description || ""]);
  return make("details", { className: "operation" }, make("summary", {}, make("code", { textContent: name })),
    make("p", { textContent: schema.description || "" }), table("Fields", ["Name", "Type", "Meaning"], rows));
}

async function show() {
  const target = document.getElementById("operations");
  const answer = await fetch("/openapi.json").catch(() => null);
  if (!answer || !answer.ok) {
    target.textContent = "The description could not be loaded.";
    return;
  }
  const api = await answer.json();
  const all = (api.components && api.components.schemas) || {};
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => item[one])) {
      const group = (item[method].tags || ["other"])[0];
      groups.set(group, [...(groups.get(group) || []), operationOf(method, path, item[method], all)]);
    }
  }
  // The description's back-quoted words are code.
  const words = api.info.description.split("`").map((text, place) => (place % 2 ? make("code", { textContent: text }) : text));
  document.getElementById("about").replaceChildren(...words);
  target.replaceChildren(
    ...[...groups].flatMap(([group, found]) => [make("h2", { textContent: group[0].toUpperCase() + group.slice(1) }), ...found]),
    make("h2", { textContent: "Forms" }), ...Object.entries(all).map(([name, schema]) => schemaOf(name, schema, all)));
}

show();
