"""Zip archives: what is sound comes out byte for byte, what is not is named, and nothing costs memory."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanward.errors import BadInput, TooLarge
from scanward.receive.archive import Bounds, Member, is_zip, members

pytestmark = pytest.mark.unit


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def drain(arriving: Iterator[Member], rules: list[str]) -> None:
    for member in arriving:
        try:
            list(member.chunks())
        except BadInput as error:
            rules.append(rule_of(error))


def rule_of(error: BadInput) -> str:
    return error.faults[0].rule


CONTENT = st.binary().filter(lambda content: not content.startswith(b"PK\x03\x04"))


@given(
    st.dictionaries(st.text("abcäß/.", min_size=1).filter(lambda n: not n.endswith("/")), CONTENT),
    st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]),
)
def test_every_member_comes_out_as_it_went_in(files: dict[str, bytes], method: int) -> None:
    got = {member.name: b"".join(member.chunks()) for member in members(zipped(files, method))}
    assert got == files


def test_a_member_larger_than_a_chunk_is_whole() -> None:
    content = os.urandom(700_001) + bytes(3_000_000) + os.urandom(5)
    (member,) = members(zipped({"a": content}))
    assert b"".join(member.chunks()) == content


def test_a_streamed_archive_with_zip64_sizes_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"x" * 1000)
    assert [b"".join(m.chunks()) for m in members(out)] == [b"x" * 1000]


def test_an_archive_whose_places_stand_in_zip64_fields_is_read() -> None:
    plain = zipped({"a": b"1", "b": b"2"}, zipfile.ZIP_STORED).getvalue()
    start = plain.index(b"PK\x01\x02")
    directory, end = plain[start:-22], len(plain) - 22
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, len(directory), start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    narrow = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    wide = plain[:end] + end64 + locator + narrow
    assert [b"".join(m.chunks()) for m in members(io.BytesIO(wide))] == [b"1", b"2"]
    for broken in (
        wide.replace(b"PK\x06\x06", b"PK\x06\x00"),
        wide[:end] + end64[:-8] + bytes([255] * 8) + locator + narrow,
    ):
        with pytest.raises(BadInput):
            list(members(io.BytesIO(broken)))


def test_a_method_that_is_not_read_is_named() -> None:
    (member,) = members(zipped({"a": b"1" * 100}, zipfile.ZIP_BZIP2))
    with pytest.raises(BadInput) as caught:
        list(member.chunks())
    assert rule_of(caught.value) == "zip-method"


def test_more_members_than_sixteen_bits_count_are_all_seen() -> None:
    out = zipped(dict.fromkeys(map(str, range(70_000)), b""), zipfile.ZIP_STORED)
    assert sum(1 for _ in members(out)) == 70_000


def test_folders_are_passed_over() -> None:
    assert [member.name for member in members(zipped({"a/": b"", "a/b": b"1"}))] == ["a/b"]


def test_a_hostile_name_is_only_text() -> None:
    names = ["../../etc/passwd", "/abs", "C:\\x", "a\n<script>"]
    assert [member.name for member in members(zipped(dict.fromkeys(names, b"1")))] == names


def test_a_broken_member_is_named_and_the_next_still_comes() -> None:
    out = zipped({"bad": b"b" * 5000, "good": b"g"}, zipfile.ZIP_STORED)
    raw = bytearray(out.getvalue())
    raw[raw.index(b"bbbb")] ^= 1
    bad, good = members(io.BytesIO(bytes(raw)))
    with pytest.raises(BadInput) as caught:
        list(bad.chunks())
    assert rule_of(caught.value) == "zip-checksum"
    assert list(good.chunks()) == [b"g"]


def test_broken_compressed_bytes_are_named() -> None:
    raw = bytearray(zipped({"a": os.urandom(5000)}).getvalue())
    raw[31] = 0xFF
    (member,) = members(io.BytesIO(bytes(raw)))
    with pytest.raises(BadInput) as caught:
        list(member.chunks())
    assert rule_of(caught.value) in {"zip-deflate", "zip-checksum"}


def test_an_encrypted_member_is_refused() -> None:
    raw = bytearray(zipped({"a": b"1"}).getvalue())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    (member,) = members(io.BytesIO(bytes(raw)))
    with pytest.raises(BadInput) as caught:
        list(member.chunks())
    assert rule_of(caught.value) == "zip-encrypted"


def test_a_symbolic_link_is_refused() -> None:
    out = io.BytesIO()
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    (member,) = members(out)
    with pytest.raises(BadInput) as caught:
        list(member.chunks())
    assert rule_of(caught.value) == "zip-not-regular"


def test_an_archive_in_an_archive_is_refused() -> None:
    (member,) = members(zipped({"inner.zip": zipped({"a": b"1"}).getvalue()}))
    with pytest.raises(BadInput) as caught:
        list(member.chunks())
    assert rule_of(caught.value) == "zip-nested"


def test_a_bomb_ends_at_the_ratio_and_takes_no_memory() -> None:
    out = zipped({"bomb": bytes(200 << 20)})
    tracemalloc.start()
    (member,) = members(out, Bounds(ratio_allowance=1 << 20))
    with pytest.raises(BadInput) as caught:
        for _ in member.chunks():
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rule_of(caught.value) == "zip-ratio"
    assert peak < 4 << 20


def test_many_small_bombs_end_at_the_ratio_of_the_whole() -> None:
    out = zipped({str(number): bytes(1 << 20) for number in range(64)})
    rules: list[str] = []
    with pytest.raises(TooLarge):
        drain(members(out, Bounds(ratio_allowance=2 << 20, ratio=100)), rules)
    assert rules == ["zip-total"]


def test_a_member_larger_than_declared_is_refused_where_it_passes_it() -> None:
    raw = bytearray(zipped({"a": bytes(1 << 20)}).getvalue())
    struct.pack_into("<L", raw, raw.index(b"PK\x01\x02") + 24, 10)
    (member,) = members(io.BytesIO(bytes(raw)))
    with pytest.raises(BadInput) as caught:
        list(member.chunks())
    assert rule_of(caught.value) == "zip-checksum"


def test_overlapping_members_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", b"x" * 1000)
        first = archive.infolist()[0]
        archive.filelist.extend([first] * 50)
    with pytest.raises(BadInput) as caught:
        list(members(out))
    assert rule_of(caught.value) == "zip-overlap"


def test_members_beyond_the_bound_end_the_archive() -> None:
    with pytest.raises(TooLarge):
        list(members(zipped(dict.fromkeys("abc", b"")), Bounds(members=2)))


def test_a_member_beyond_its_size_is_refused_and_the_total_ends_the_archive() -> None:
    out = zipped({"a": b"1" * 100, "b": b"2" * 60, "c": b"3" * 60, "d": b""})
    rules: list[str] = []
    with pytest.raises(TooLarge):
        drain(members(out, Bounds(member_bytes=80, total_bytes=100)), rules)
    assert rules == ["zip-member-size", "zip-total"]


@pytest.mark.parametrize("cut", [0, 1, 10, 30, 100, 150])
def test_a_cut_archive_is_refused(cut: int) -> None:
    raw = zipped({"a": os.urandom(100)}).getvalue()
    with pytest.raises(BadInput) as caught:
        list(members(io.BytesIO(raw[:cut])))
    assert rule_of(caught.value) == "zip-broken"


SOUND = zipped({"a": b"x" * 50, "b": bytes(range(256))}).getvalue()
SPOILT = st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=4)


@given(SPOILT)
def test_a_spoilt_archive_ends_in_members_or_a_named_fault(spoilt: list[tuple[int, int]]) -> None:
    raw = bytearray(SOUND)
    for position, value in spoilt:
        raw[position] = value
    taken = 0
    with suppress(BadInput):  # anything but a named fault fails the test
        for member in members(io.BytesIO(bytes(raw))):
            with suppress(BadInput):
                taken += sum(map(len, member.chunks()))
    assert taken <= 50 + 256


def test_a_dicom_file_whose_preamble_looks_like_a_zip_is_none() -> None:
    assert is_zip(zipped({"a": b"1"}).getvalue())
    assert not is_zip(b"PK\x03\x04".ljust(128, b"\0") + b"DICM")
