"""What a search finds: keys, kinds of matching, and levels (PS3.18 8.3.4.1, 10.6.1; PS3.4 C.2.2.2)."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.doors.conformance.checks import Check, Checks, Subject, equal, status


class Row(NamedTuple):
    """A search and what it shall find; `{x}` in it is filled in. expected: labels with spaces between."""

    clause: str
    sentence: str
    path: str
    query: str
    expected: str


def _rows() -> list[Row]:
    with Path(__file__).with_name("searches.csv").open(encoding="utf-8", newline="") as file:
        return [Row(**one) for one in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE)]


def _filled(subject: Subject, text: str) -> str:
    corpus = subject.corpus
    places = {"run": corpus.run, "wang": quote("*王")}
    for label, one in corpus.objects.items():
        places[f"id_{label[0]}"] = one.PatientID
        places[f"uid_{label[0]}"], places[f"uid_{label[:2]}"] = one.StudyInstanceUID, one.SeriesInstanceUID
        places[f"uid_{label}"] = one.SOPInstanceUID
        places[f"path_{label[0]}"], places[f"path_{label[:2]}"] = (
            corpus.path_of(label[0]),
            corpus.path_of(label[:2]),
        )
    return text.format_map(places)


def _finds(row: Row, subject: Subject) -> None:
    path, query = _filled(subject, row.path), _filled(subject, row.query)
    if not row.expected:
        # Who finds nothing at all has not matched.
        assert subject.labels(path.rpartition("/")[2]), "nothing is found without the key either"
    equal(sorted(subject.labels(path, query)), row.expected.split())


CHECKS = Checks(
    Check(
        row.clause,
        f"Search of {row.path.partition('}/')[2] or row.path}: {row.sentence}",
        partial(_finds, row),
    )
    for row in _rows()
)


@CHECKS.of("PS3.18 8.3.4.2", "fuzzymatching is done, or its absence told by Warning 299")
def _fuzzy(subject: Subject) -> None:
    run = subject.corpus.run
    answer = subject.get(f"studies?fuzzymatching=true&PatientName=anna%20conform&StudyID={run}")
    status(answer, 200, 204)
    found = answer.status_code == 200
    assert found or answer.headers.get("warning", "").startswith("299 "), "neither found nor warned"
    if found:
        labels = [subject.corpus.label_of(one, 1) for one in answer.json()]
        assert "a" in labels or "299 " in answer.headers.get("warning", ""), "neither found nor warned"
