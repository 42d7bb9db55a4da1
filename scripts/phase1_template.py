"""Render phase1_ingestion/cloudformation_phase1.yaml from cloudformation/src, policies/ and state_machines/.

`python -m scripts.phase1_template` writes it if it is stale, `--check` only says so. The printed command
sends the template within its request, so it has to stay under 51,200 bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from scripts import templates_parts as parts
from scripts.templates_yaml import Line, Node, Tagged, dump, load

TARGET = parts.ROOT / "phase1_ingestion" / "cloudformation_phase1.yaml"
LARGEST = 51_200
_HEAD = "# Rendered by `python -m scripts.phase1_template`; the source is cloudformation/src/phase1.yaml.\n"


def rendered() -> str:
    """Return the template. Raises KeyError (an unknown placeholder)."""
    source = load((parts.SOURCES / "phase1.yaml").read_text(encoding="utf-8"))
    return _HEAD + dump(_put_together(source))


def _put_together(node: Node) -> Node:
    if isinstance(node, Tagged) and node.tag in _PARTS:
        return _PARTS[node.tag](str(node.value))
    if isinstance(node, Tagged):
        return Tagged(node.tag, _put_together(node.value))
    if isinstance(node, dict):
        return {key: _put_together(value) for key, value in node.items()}
    return [_put_together(each) for each in node] if isinstance(node, list) else node


def _policy(name: str) -> Node:
    known = parts.settings("phase1_placeholders")
    document = json.loads((parts.ROOT / "policies" / f"{name}.json").read_text(encoding="utf-8"))
    document["Statement"] = [Line(statement) for statement in document["Statement"]]
    return parts.filled(document, parts.table(known["values"]), parts.table(known["lists"]))


def _code(name: str) -> Node:
    return (parts.ROOT / "phase1_ingestion" / f"{name}.py").read_text(encoding="utf-8")


def _dashboard(name: str) -> Node:
    body = json.loads((parts.SOURCES / f"{name}.json").read_text(encoding="utf-8"))
    values = parts.table(parts.settings("phase1_placeholders")["values"])
    named = {each: f"${{{each}}}" for each in ("ProjectName", "Environment", "UploadApi")}
    return parts.text(json.dumps(body, separators=(",", ":")), {**values, **named})


_PARTS: dict[str, Callable[[str], Node]] = {
    "!Policy": _policy,
    "!StateMachine": parts.state_machine,
    "!Code": _code,
    "!Dashboard": _dashboard,
}


def main(arguments: list[str]) -> int:
    """Rewrite the template if it is stale, or with --check only say so; 1 if it was stale then."""
    fresh = rendered()
    if len(fresh.encode()) >= LARGEST:
        sys.exit(f"{TARGET.name} has {len(fresh.encode()):,} bytes; CloudFormation takes {LARGEST:,}.")
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == fresh:
        return 0
    if "--check" in arguments:
        print(f"{TARGET.name} is stale; run `python -m scripts.phase1_template`")
        return 1
    TARGET.write_text(fresh, encoding="utf-8")
    print(f"{TARGET.name}: {len(fresh.encode()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
