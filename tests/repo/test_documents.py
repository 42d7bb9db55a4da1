from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.generate_docs import ROOT, documents, renewed

pytestmark = pytest.mark.unit

LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)(?P<target>[^)\s]+)\)")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", list(documents()), ids=relative)
def test_every_generated_block_says_what_the_code_says_now(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert renewed(text) == text, "run `make docs`"


def test_the_readme_holds_the_blocks_that_a_reader_looks_for() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"tree", "commands", "settings", "profiles", "routes"} <= set(
        re.findall(r"generated: ([\w-]+)", text)
    )


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    broken = []
    for match in LINK.finditer(page.read_text(encoding="utf-8")):
        name, _, anchor = match["target"].partition("#")
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(match["target"])
    assert broken == []


def test_there_are_at_most_twelve_decisions_and_each_says_its_status() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert 0 < len(records) <= 12
    for record in records:
        heads = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), re.MULTILINE)
        assert heads == ["Status", "Context", "Decision", "Consequences"], record.name
