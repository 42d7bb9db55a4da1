// Extract what the check needs to know of AWS's provider: arguments, blocks, types, required and computed of every
// resource and data source that terraform/ names, from npm's @cdktn/provider-aws (490 MB unpacked, so it is not installed
// by `make setup`; what comes out is committed).
// Usage: node tools/infrastructure/hcl.mjs terraform |
//   node tools/infrastructure/extract_schema.mjs FOLDER/node_modules/@cdktn/provider-aws > provider_aws.json
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";


function members(declarations, name) {
  const body = declarations.match(new RegExp(`export interface ${name}(?: extends [\\w.]+)? \\{([^]*?)\\n\\}`));
  if (!body) throw new Error(`no interface ${name}`);
  const found = {};
  // One doc comment and one member; a map's type has a semicolon of its own.
  for (const [, comment, , optional, type] of body[1].matchAll(
    /\/\*\*([^]*?)\*\/\s*readonly (\w+)(\??): (\{[^}]*\}(?:\[\])?|[^;{]+);/g,
  )) {
    const attribute = comment.match(/#(\w+) \w+#\w+\}/)[1];
    found[attribute] = { required: optional === "", type: type.replace(/ \| cdktn\.IResolvable/g, "").replace(/\s+/g, " ") };
    found[attribute].block = / block\s*$/m.test(comment.split("\n")[1]);
  }
  return found;
}

function kind(declarations, type) {
  const list = type.endsWith("[]");
  const plain = type.replace(/\[\]$/, "").replace(/^\((.*)\)$/, "$1");
  if (/^\{ \[key: string\]/.test(plain)) return { type: "map" };
  if (["string", "number", "boolean", "any"].some((one) => plain === one || plain.startsWith(`${one} |`))) {
    const simple = plain.split(" ")[0].replace("boolean", "bool");
    return list ? { type: "list", of: simple } : { type: simple };
  }
  return { type: list ? "list" : "object", of: block(declarations, plain) };
}

function block(declarations, name) {
  const attributes = {};
  for (const [attribute, { required, type, block: isBlock }] of Object.entries(members(declarations, name))) {
    const { type: shape, of } = kind(declarations, type);
    attributes[attribute] = { type: shape };
    if (of) attributes[attribute].of = of;
    if (required) attributes[attribute].required = true;
    if (isBlock) attributes[attribute].block = true;
  }
  return attributes;
}

function computed(code, className) {
  const body = code.slice(code.search(new RegExp(`^class ${className} extends`, "m")));
  const found = new Set();
  for (const [, name] of body.matchAll(/return this\.get\w*Attribute\('(\w+)'\)/g)) found.add(name);
  for (const [, name] of body.matchAll(/new cdktn\.\w+Map\(this, "(\w+)"/g)) found.add(name);
  for (const [, name] of body.matchAll(/new \w+(?:List|OutputReference|Map)\(this, "(\w+)"/g)) found.add(name);
  return [...found];
}

const folder = process.argv[2];
const out = { source: JSON.parse(readFileSync(join(folder, "package.json"))), resource: {}, data: {} };
out.source = `npm @cdktn/provider-aws ${out.source.version}`;
const kinds = new Set();
for (const blocks of Object.values(JSON.parse(readFileSync(0, "utf8")).files)) {
  for (const mode of ["resource", "data"]) {
    for (const type of Object.keys(blocks[mode] ?? {})) if (type.startsWith("aws_")) kinds.add(`${mode} ${type}`);
  }
}
for (const kind of [...kinds].sort()) {
  const [mode, type] = kind.split(" ");
  const short = type.replace(/^aws_/, "").replaceAll("_", "-");
  const home = join(folder, "lib", mode === "data" ? `data-aws-${short}` : short);
  if (!existsSync(home)) throw new Error(`the provider has no ${mode} ${type}`);
  const declarations = readFileSync(join(home, "index.d.ts"), "utf8");
  const code = readFileSync(join(home, "index.js"), "utf8");
  out.provider ??= declarations.match(/hashicorp\/aws\/([0-9.]+)\/docs/)[1];
  const className = declarations.match(/export declare class (\w+) extends cdktn\.Terraform(?:Resource|DataSource)/)[1];
  const attributes = block(declarations, `${className}Config`);
  const given = new Set(Object.keys(attributes));
  out[mode][type] = { arguments: attributes, computed: computed(code, className).filter((name) => !given.has(name)).sort() };
}
process.stdout.write(`${JSON.stringify(out, null, 1)}\n`);
