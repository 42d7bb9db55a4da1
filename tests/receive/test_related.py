"""multipart/related: the same parts come out however the body is cut; broken ones are refused (RFC 2046)."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.errors import BadInput, TooLarge
from scanward.receive.content_coding import Gunzip
from scanward.receive.multipart import Bounds, Data, End
from scanward.receive.related import Part, Related, RelatedEvent
from scanward.receive.related_headers import header_fields, media_type

pytestmark = pytest.mark.unit

DICOM = "application/dicom"


def typed(boundary: str) -> str:
    return f'multipart/related; type="{DICOM}"; boundary={boundary}'


def body_of(contents: Iterable[bytes], boundary: str = "edge") -> bytes:
    parts = [
        f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode() + content + b"\r\n" for content in contents
    ]
    return b"".join(parts) + f"--{boundary}--".encode()


def parts_of(events: Iterable[RelatedEvent]) -> list[tuple[Part, bytes]]:
    found: list[tuple[Part, bytes]] = []
    part, content = Part(""), b""
    for event in events:
        match event:
            case Part():
                part, content = event, b""
            case Data():
                content += event.chunk
            case End():
                found.append((part, content))
    return found


def read(content_type: str, body: bytes, size: int = 1 << 20) -> list[tuple[Part, bytes]]:
    under_way, events = Related(content_type), list[RelatedEvent]()
    for start in range(0, len(body), size):
        events += under_way.feed(body[start : start + size])
    under_way.close()
    return parts_of(events)


def feed_often(under_way: Related, times: int) -> None:
    for _ in range(times):
        under_way.feed(b"y" * 1024)


CONTENT = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r\n", b"--", b"edge", b"\r", b"-", b"\r\n--edg", b"x"])).map(b"".join),
).filter(lambda content: b"\r\n--edge" not in b"\r\n" + content + b"\r\n--edge"[:-1])


@given(st.lists(CONTENT, max_size=4), st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_parts_come_out_whole_however_the_body_is_cut(contents: list[bytes], sizes: list[int]) -> None:
    body, under_way, events, position = body_of(contents), Related(typed("edge")), list[RelatedEvent](), 0
    for size in sizes:
        events += under_way.feed(body[position : position + size])
        position += size
    events += under_way.feed(body[position:])
    under_way.close()
    assert [content for _, content in parts_of(events)] == contents


@pytest.mark.parametrize(
    ("written", "boundary"),
    [
        ("edge", "edge"),
        ('"edge"', "edge"),
        ('"a b"', "a b"),
        ('"\'()+_,-./:=?"', "'()+_,-./:=?"),
        ("a=b:c?d/e", "a=b:c?d/e"),
        ('"a\\=b"', "a=b"),
        ("----WebKitFormBoundary7MA4", "----WebKitFormBoundary7MA4"),
        ("x" * 200, "x" * 200),
        ("1", "1"),
        ("edge ; charset=utf-8", "edge"),
    ],
)
def test_every_legal_boundary_is_taken(written: str, boundary: str) -> None:
    for size in (1, 7, 1 << 20):
        found = read(typed(written), body_of([b"one", b"\r\ntwo\r\n"], boundary), size)
        assert [content for _, content in found] == [b"one", b"\r\ntwo\r\n"]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/related",
        "multipart/related; boundary=",
        'multipart/related; boundary=""',
        f"multipart/related; boundary={'x' * 201}",
        'multipart/related; boundary="a "',
        'multipart/related; boundary="a\r\nb"',
        "multipart/related; boundary=ä",
        "multipart/related; boundary=a; boundary=b",
        "multipart/related; boundary",
        "multipart/form-data; boundary=edge",
        "text",
    ],
)
def test_a_content_type_without_a_legal_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(BadInput):
        Related(content_type)


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
def test_preamble_epilogue_and_blanks_behind_boundaries_are_read_past(size: int) -> None:
    """RFC 2046 5.1.1."""
    body = (
        b"This is a preamble.\r\n--edge-of-another\r\n--edge \t \r\nContent-Type: application/dicom\r\n\r\n"
        b"one\r\n--edge\r\nContent-Type: application/dicom\r\n\r\ntwo\r\n--edge--  \r\n"
        b"an epilogue --edge\r\n--edge\r\n"
    )
    assert [content for _, content in read(typed("edge"), body, size)] == [b"one", b"two"]


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_a_line_that_only_begins_like_the_boundary_is_content(size: int) -> None:
    contents = [b"a\r\n--edgeless\r\nb", b"--edgeX", b"\r\n--edg"]
    assert [content for _, content in read(typed("edge"), body_of(contents), size)] == contents


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_parts_without_a_header_or_without_content_are_parts(size: int) -> None:
    body = b"--edge\r\n\r\none\r\n--edge\r\nX-Y: z\r\n\r\n--edge\r\nX-Y: z\r\n\r\n\r\n--edge--"
    assert read(typed("edge"), body, size) == [(Part(DICOM), b"one"), (Part(DICOM), b""), (Part(DICOM), b"")]


def test_a_part_tells_its_type_syntax_and_location() -> None:
    body = (
        b"--edge\r\ncontent-type: Application/DICOM;\r\n transfer-syntax=1.2.840.10008.1.2.1\r\n"
        b"Content-Location: a/b\r\nContent-Length: 99\r\nContent-Transfer-Encoding: binary\r\n\r\nx\r\n"
        b"--edge\r\n"
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\ny\r\n--edge--"
    )
    assert [part for part, _ in read(typed("edge"), body)] == [
        Part(DICOM, "1.2.840.10008.1.2.1", "a/b"),
        Part("text/plain", encoded=True),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"--edge",
        b"--edge-",
        b"--edge\r\n",
        b"--edge\r\nContent-Type: application/dicom\r\n",
        b"--edge\r\nContent-Type: application/dicom\r\n\r\nhalf",
        b"--edge\r\nContent-Type: application/dicom\r\n\r\nwhole\r\n--edge",
        b"--edge\nContent-Type: application/dicom\n\nbare line feeds\n--edge--\n",
        body_of([b"x"], "other"),
    ],
)
def test_a_body_without_its_closing_boundary_is_refused(body: bytes) -> None:
    for size in (1, 1 << 20):
        with pytest.raises(BadInput):
            read(typed("edge"), body, size)


def test_a_body_without_parts_is_whole() -> None:
    assert read(typed("edge"), b"--edge--\r\n") == []


@pytest.mark.parametrize(
    "block",
    [
        b"no colon",
        b": no name",
        b"a b: x",
        b"X: a\nb",
        b"X: a\rb",
        b"X: a\x00b",
        b" folded: first",
        b"Content-Type: a/b\r\ncontent-type: c/d",
        b"Content-Type: nonsense",
        b'Content-Type: a/b; name="x" y',
        b"X: " + b"y" * (8 << 10),
        b"\r\n".join(b"X%d: y" % number for number in range(17)),
        b"X\xc3\xa4: y",
    ],
)
def test_a_malformed_part_header_is_refused(block: bytes) -> None:
    with pytest.raises(BadInput):
        read(typed("edge"), b"--edge\r\n" + block + b"\r\n\r\ncontent\r\n--edge--")


def test_a_header_that_never_ends_is_refused_before_it_is_kept() -> None:
    under_way = Related(typed("edge"))
    under_way.feed(b"--edge\r\nX: ")
    with pytest.raises(BadInput):
        feed_often(under_way, 10)


@pytest.mark.parametrize("before", [b"", b"--edge--\r\n"])
def test_endless_text_beside_the_parts_is_refused(before: bytes) -> None:
    under_way = Related(typed("edge"))
    under_way.feed(before)
    with pytest.raises(BadInput):
        feed_often(under_way, 2048)


def test_too_many_parts_are_refused() -> None:
    under_way = Related(typed("edge"), Bounds(parts=2))
    with pytest.raises(TooLarge):
        under_way.feed(body_of([b"1", b"2", b"3"]))


def test_nested_multipart_is_a_part_like_any_other() -> None:
    inner = body_of([b"inner"], "inside")
    body = b"--edge\r\nContent-Type: multipart/related; boundary=inside\r\n\r\n" + inner + b"\r\n--edge--"
    assert read(typed("edge"), body) == [(Part("multipart/related"), inner)]


def test_a_large_part_costs_little_memory() -> None:
    under_way, chunk, passed = Related(typed("edge")), b"\r\n--edg" * 9000, 0
    under_way.feed(b"--edge\r\n\r\n")
    tracemalloc.start()
    for _ in range(500):
        passed += sum(len(event.chunk) for event in under_way.feed(chunk) if isinstance(event, Data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert passed > 499 * len(chunk)
    assert peak < 1 << 20


@given(st.text(max_size=80))
def test_whatever_stands_in_a_content_type_is_read_or_refused(text: str) -> None:
    try:
        kind, _ = media_type(text)
    except BadInput:
        return
    assert "/" in kind


@given(st.binary(max_size=120))
def test_whatever_stands_in_a_header_is_read_or_refused(block: bytes) -> None:
    try:
        fields = header_fields(block)
    except BadInput:
        return
    assert all(name == name.lower() and "\n" not in value for name, value in fields.items())


@given(st.lists(st.binary(max_size=300), max_size=3), st.integers(1, 50))
def test_gzip_inflates_however_it_is_cut_in_one_member_or_more(contents: list[bytes], size: int) -> None:
    packed, under_way, found = b"".join(map(gzip.compress, contents)), Gunzip(), b""
    for start in range(0, len(packed), size):
        found += b"".join(under_way.feed(packed[start : start + size]))
    under_way.close()
    assert found == b"".join(contents)


def test_large_gzip_comes_out_in_pieces() -> None:
    content = bytes(range(256)) * 40_000
    under_way = Gunzip()
    pieces = list(under_way.feed(gzip.compress(content)))
    under_way.close()
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 1 << 18


@pytest.mark.parametrize("packed", [b"no gzip", zlib.compress(b"x"), gzip.compress(b"x" * 999) + b"rest"])
def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(BadInput):
        list(Gunzip().feed(packed))


def test_gzip_that_ends_early_or_lies_about_its_checksum_is_refused() -> None:
    packed = gzip.compress(b"x" * 999)
    under_way = Gunzip()
    list(under_way.feed(packed[:-1]))
    with pytest.raises(BadInput):
        under_way.close()
    with pytest.raises(BadInput):
        list(Gunzip().feed(packed[:-8] + b"\0" * 8))


def test_a_gzip_bomb_is_refused_at_its_bound() -> None:
    bomb = gzip.compress(bytes(50 << 20))
    sizes: list[int] = []
    with pytest.raises(TooLarge):
        sizes.extend(map(len, Gunzip(ratio=10, allowance=1 << 20).feed(bomb)))
    assert 0 < sum(sizes) < 3 << 20
