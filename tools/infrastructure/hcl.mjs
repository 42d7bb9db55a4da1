// Read every .tf and .tfvars file under a folder with HashiCorp's own parser (@cdktf/hcl2json) and print one JSON:
// {"files": {path: blocks}, "expressions": {text: tree}, "faults": [...]}. A text is as hcl2json writes it, "${…}".
// Usage: node tools/infrastructure/hcl.mjs FOLDER
import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const require = createRequire(new URL("../../.tools/infrastructure/", import.meta.url));
const { getExpressionAst, parse } = require("@cdktf/hcl2json");

const ESCAPES = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith(".")) yield* sources(path);
    else if (/\.(tf|tfvars)$/.test(entry.name)) yield path;
  }
}

function* texts(node) {
  if (typeof node === "string") yield node;
  else if (Array.isArray(node)) for (const each of node) yield* texts(each);
  else if (node && typeof node === "object") for (const each of Object.values(node)) yield* texts(each);
}

function literal(raw, quoted) {
  const plain = quoted ? raw.replace(/\\(["\\nrt])/g, (_, sign) => ESCAPES[sign]) : raw;
  return plain.replaceAll("$${", "${").replaceAll("%%{", "%{");
}

function steps(traversal) {
  return traversal.map(({ type, segment }) => (type === "indexTraversal" ? { at: JSON.parse(segment) } : segment));
}

// The parser's tree with what an evaluation needs and nothing else.
function tree(node, source, quoted = true) {
  const { type, meta = {}, children = [] } = node;
  const each = () => children.map((child) => tree(child, source));
  switch (type) {
    case "literalValue":
      if (meta.type === "string") return { literal: literal(meta.value, quoted) };
      return { literal: JSON.parse(meta.value) };
    case "template":
      return { template: children.map((child) => tree(child, source, quoted)) };
    case "templateWrap":
      return { template: each(), wrapped: true };
    case "scopeTraversal":
      return { reference: steps(meta.traversal) };
    case "relativeTraversal":
      return { from: each()[0], steps: steps(meta.traversal) };
    case "function":
      return { call: meta.name, arguments: each(), spread: meta.expandedFinalArgument };
    case "conditional":
      return { conditional: each() };
    case "binaryOp":
      return { operator: meta.operator, operands: each() };
    case "unaryOp":
      return { operator: meta.operator, operands: each() };
    case "index":
      return { index: each() };
    case "tuple":
      return { tuple: each() };
    case "object": {
      const items = [];
      for (let at = 0; at < children.length; at += 2) items.push([key(children[at], source), tree(children[at + 1], source)]);
      return { object: items };
    }
    case "for":
      return {
        for: each(),
        key: meta.keyVar ?? "",
        value: meta.valVar,
        mapping: meta.closeRangeValue === "}",
        filtered: meta.conditionalExpression !== undefined && meta.conditionalExpression !== "",
      };
    case "splat": {
      const [collection, rest] = children;
      return { splat: tree(collection, source), steps: rest.meta ? steps(rest.meta.traversal ?? []) : [] };
    }
    case "":
      // Parentheses.
      return tree(children[0], source);
    default:
      throw new Error(`an expression of the kind ${type} is not understood`);
  }
}

function key(node, source) {
  if (node.children.length > 0) return tree(node, source);
  return { literal: source.subarray(node.range.start.byte, node.range.end.byte).toString() };
}

// "${…}" as a whole is an expression of its own; any other text is a template, which a heredoc takes as it stands.
async function expression(path, text) {
  if (text.startsWith("${") && text.endsWith("}")) {
    const inner = text.slice(2, -1);
    try {
      return tree(await getExpressionAst(path, inner), Buffer.from(inner));
    } catch {
      // Two interpolations, one at each end.
    }
  }
  const source = `<<END_OF_TEXT\n${text}\nEND_OF_TEXT\n`;
  const found = tree(await getExpressionAst(path, source), Buffer.from(source), false);
  const last = found.template.at(-1);
  if (typeof last.literal === "string") last.literal = last.literal.replace(/\n$/, "");
  return found;
}

const folder = process.argv[2];
const files = {};
const expressions = {};
const faults = [];
for (const path of sources(folder)) {
  const name = relative(folder, path);
  try {
    files[name] = await parse(path, readFileSync(path, "utf8"));
    for (const text of texts(files[name])) {
      if (/[$%]\{/.test(text) && !(text in expressions)) expressions[text] = await expression(name, text);
    }
  } catch (error) {
    faults.push(`${name}: ${String(error.message ?? error).trim()}`);
  }
}
process.stdout.write(JSON.stringify({ files, expressions, faults }));
