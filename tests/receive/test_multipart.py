"""multipart/form-data: the same files come out however the body is cut; broken bodies are refused."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.errors import BadInput, TooLarge
from scanward.receive.multipart import Begin, Bounds, Data, End, Event, Form, shown_name

pytestmark = pytest.mark.unit


def body_of(files: list[tuple[str, bytes]], boundary: str = "edge") -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def form(boundary: str = "edge", bounds: Bounds | None = None) -> Form:
    return Form(f"multipart/form-data; boundary={boundary}", bounds or Bounds())


def collected(events: list[Event]) -> list[tuple[str, bytes]]:
    files: list[tuple[str, bytes]] = []
    name, content = "", b""
    for event in events:
        match event:
            case Begin():
                name, content = event.name, b""
            case Data():
                content += event.chunk
            case End():
                files.append((name, content))
    return files


CONTENT = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r\n", b"--", b"edge", b"\r", b"-", b"\r\n--edg", b"x"])).map(b"".join),
).filter(lambda content: b"\r\n--edge" not in b"\r\n" + content)


@given(
    st.lists(st.tuples(st.text("abä 1", min_size=1), CONTENT), max_size=4),
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
)
def test_files_come_out_whole_however_the_body_is_cut(
    files: list[tuple[str, bytes]], sizes: list[int]
) -> None:
    body, under_way, events, position = body_of(files), form(), list[Event](), 0
    for size in sizes:
        events += under_way.feed(body[position : position + size])
        position += size
    events += under_way.feed(body[position:])
    under_way.close()
    assert collected(events) == files


@given(st.integers(0, 200))
def test_a_body_cut_anywhere_is_refused(cut: int) -> None:
    body = body_of([("a", b"1" * 50), ("b", b"2" * 50)])
    under_way = form()
    under_way.feed(body[: min(cut, len(body) - 5)])
    with pytest.raises(BadInput):
        under_way.close()


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; x",
        "multipart/related; boundary=edge",
        "multipart/form-data; boundary=" + "x" * 10_000,
    ],
)
def test_a_content_type_without_a_usable_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(BadInput):
        Form(content_type)


@pytest.mark.parametrize("boundary", ["a", "-" * 60, "x'()+_,-./:=?", "=" * 70])
def test_any_boundary_of_the_standard_is_taken(boundary: str) -> None:
    under_way = Form(f'multipart/form-data; boundary="{boundary}"')
    events = under_way.feed(body_of([("a", b"--" + b"-" * 80)], boundary))
    under_way.close()
    assert collected(events) == [("a", b"--" + b"-" * 80)]


def test_a_body_of_something_else_is_refused_without_its_text() -> None:
    with pytest.raises(BadInput) as caught:
        form().feed(b"SECRET^NAME")
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_parts_beyond_the_bound_are_refused() -> None:
    with pytest.raises(TooLarge):
        form(bounds=Bounds(parts=3)).feed(body_of([("a", b"")] * 4))


@pytest.mark.parametrize("header", ["X: " + "y" * 9000, "\r\n".join(["X: y"] * 20), "no colon", ": x"])
def test_headers_beyond_their_bounds_or_malformed_are_refused(header: str) -> None:
    with pytest.raises(BadInput):
        form().feed(f"--edge\r\n{header}\r\n\r\n1\r\n--edge--".encode())


def test_an_endless_header_takes_no_memory() -> None:
    under_way = form()
    under_way.feed(b"--edge\r\nX: ")
    tracemalloc.start()
    with pytest.raises(BadInput):
        collected([event for _ in range(1000) for event in under_way.feed(b"y" * 1000)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_form_fields_are_passed_over_and_files_without_a_name_are_numbered() -> None:
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="comment"\r\n\r\nhello\r\n'
        b'--edge\r\nContent-Disposition: form-data; name="x"\r\nContent-Type: application/dicom\r\n\r\nD\r\n'
        b'--edge\r\nContent-Disposition: form-data; name="x"; filename=""\r\n\r\n\r\n--edge--\r\n'
    )
    assert collected(form().feed(body)) == [("part 2", b"D"), ("part 3", b"")]


def test_names_are_shown_without_control_characters_and_bounded() -> None:
    assert shown_name("a\0b\n\x1b[31m") == "a\ufffdb\ufffd\ufffd[31m"
    assert len(shown_name("x" * 100_000)) == 255


def test_an_epilogue_after_the_closing_boundary_is_not_a_part() -> None:
    events = form().feed(body_of([("a", b"1")]) + b"more\r\n--edge\r\n")
    assert collected(events) == [("a", b"1")]
