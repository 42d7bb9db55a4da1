"""What an expression refers to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.infrastructure.hcl_reading import Block, Tree

BUILT_IN = frozenset({"path", "terraform", "each", "count", "self"})


class Reference(NamedTuple):
    """A traversal such as module.key["raw"].arn: its names, and the index as {"at": …} or {"any": True}."""

    steps: tuple[Any, ...]

    @property
    def head(self) -> str:
        """Return the first name: var, local, module, data …"""
        return str(self.steps[0])


def references(  # noqa: C901 - one branch a kind of tree
    tree: Tree, bound: frozenset[str] = frozenset()
) -> Iterator[Reference]:
    """Yield every reference of a tree but those to names that it binds itself."""
    if "reference" in tree:
        if str(tree["reference"][0]) not in bound:
            yield Reference(tuple(tree["reference"]))
    elif "splat" in tree:
        for one in references(tree["splat"], bound):
            yield Reference((*one.steps, {"any": True}, *tree["steps"]))
    elif "index" in tree:
        collection, key = tree["index"]
        for one in references(collection, bound):
            longer = "reference" in collection
            yield Reference((*one.steps, {"any": True})) if longer else one
        yield from references(key, bound)
    elif "from" in tree:
        for one in references(tree["from"], bound):
            joined = "index" in tree["from"] and one.steps[-1:] == ({"any": True},)
            yield Reference((*one.steps, *tree["steps"])) if joined else one
    elif "for" in tree:
        collection, *rest = tree["for"]
        yield from references(collection, bound)
        for each in rest:
            yield from references(each, bound | {tree["key"], tree["value"]})
    else:
        for child in children(tree):
            yield from references(child, bound)


def children(tree: Tree) -> Iterator[Tree]:
    """Yield the trees directly under one."""
    for name in ("template", "arguments", "conditional", "operands", "tuple"):
        yield from tree.get(name, ())
    for key, value in tree.get("object", ()):
        yield key
        yield value


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield a tree and all under it."""
    yield tree
    for name in ("for", "index"):
        for child in tree.get(name, ()):
            yield from walk(child)
    for name in ("splat", "from"):
        if name in tree:
            yield from walk(tree[name])
    for child in children(tree):
        yield from walk(child)


def texts(node: Any) -> Iterator[str]:  # noqa: ANN401 - a block's values are JSON of any shape
    """Yield every text of a block, dynamic blocks included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from texts(each)
    elif isinstance(node, dict):
        for each in node.values():
            yield from texts(each)


def iterators(body: Block) -> frozenset[str]:
    """Return the names that the dynamic blocks of a body bind in their content."""
    found: set[str] = set()
    for name, blocks in body.get("dynamic", {}).items():
        for block in blocks:
            found.add(str(block.get("iterator", name)).removeprefix("${").removesuffix("}"))
            for content in block.get("content", []):
                found |= iterators(content)
    for value in body.values():
        if isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    found |= iterators(each)
    return frozenset(found)
