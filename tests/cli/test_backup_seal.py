"""The sealed stream and the key of backups: what was changed, cut, moved or added anywhere is found."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from scanward.adapters.local.backup_key import BackupKey, make_key, read_key
from scanward.adapters.local.backup_seal import CHUNK, HEAD, TAG, SealedReader, SealedWriter
from scanward.errors import BadInput, Misconfigured

pytestmark = pytest.mark.unit

KEY = BackupKey(b"k", bytes(range(32)))
SEALED = CHUNK + TAG


def sealed(content: bytes, key: BackupKey = KEY) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, key)
    for start in range(0, len(content), 700_001):
        writer.write(content[start : start + 700_001])
    writer.close()
    return file.getvalue()


def opened(stream: bytes, length: int, key: BackupKey = KEY) -> bytes:
    reader = SealedReader(io.BytesIO(stream), key)
    content = b"".join(
        reader.read(min(300_007, length - start)) for start in range(0, length, 300_007)
    ) + reader.read(0)
    reader.finish()
    return content


@pytest.mark.parametrize("length", [1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_is_sealed_comes_back(length: int) -> None:
    content = os.urandom(length)
    assert opened(sealed(content), length) == content


def test_two_backups_of_the_same_have_nothing_in_common() -> None:
    first, second = sealed(bytes(1000)), sealed(bytes(1000))
    assert first[HEAD - 64 :][:32] != second[HEAD - 64 :][:32]
    assert first[HEAD:] != second[HEAD:]


def test_a_changed_bit_is_found_wherever_it_is() -> None:
    stream = sealed(b"not a byte of this may change")
    for place in range(len(stream)):
        for bit in (0, 7):
            changed = bytearray(stream)
            changed[place] ^= 1 << bit
            with pytest.raises(BadInput):
                opened(bytes(changed), 29)


@pytest.mark.parametrize("lost", [1, TAG, 1000, 1000 + TAG, 1000 + TAG + 1, SEALED + 1000 + TAG])
def test_a_cut_stream_is_found_also_between_chunks(lost: int) -> None:
    content = os.urandom(2 * CHUNK + 1000)
    with pytest.raises(BadInput):
        opened(sealed(content)[:-lost], len(content))
    with pytest.raises(BadInput):
        opened(sealed(content)[:-lost], len(content) - lost)


def test_moved_doubled_left_out_and_added_chunks_are_found() -> None:
    content = os.urandom(3 * CHUNK + 1000)
    stream = sealed(content)
    head, body = stream[:HEAD], stream[HEAD:]
    one, two, three, last = (body[start : start + SEALED] for start in range(0, len(body), SEALED))
    for changed in (
        [two, one, three, last],
        [one, one, three, last],
        [one, three, last],
        [one, two, three, last, last],
        [one, two, three, three, last],
        [one, two, three, last, b"\0"],
    ):
        length = sum(map(len, changed)) - TAG * len(changed)
        with pytest.raises(BadInput):
            opened(b"".join([head, *changed]), length)


def test_a_chunk_of_another_backup_with_the_same_key_is_found() -> None:
    content = os.urandom(2 * CHUNK)
    first, second = sealed(content), sealed(content)
    mixed = first[: HEAD + SEALED] + second[HEAD + SEALED :]
    with pytest.raises(BadInput, match="chunk 1"):
        opened(mixed, len(content))


def test_another_key_is_said_to_be_another() -> None:
    with pytest.raises(BadInput, match="does not open this backup"):
        opened(sealed(b"x"), 1, BackupKey(b"k", bytes(32)))


def test_a_passphrase_opens_what_it_sealed(tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("correct horse battery staple\n")
    word.chmod(0o600)
    stream = sealed(b"content", read_key(word))
    assert opened(stream, 7, read_key(word)) == b"content"
    word.write_text("correct horse battery stable\n")
    with pytest.raises(BadInput, match="a passphrase"):
        opened(stream, 7, read_key(word))


def test_a_made_key_is_random_private_and_never_replaced(tmp_path: Path) -> None:
    made = make_key(tmp_path / "key")
    assert read_key(tmp_path / "key") == made
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="is there"):
        make_key(tmp_path / "key")
    assert make_key(tmp_path / "other") != made
    assert made.secret.hex() not in repr(made)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("too short", 0o600, "16 characters"),
        ("correct horse battery staple", 0o644, "by others"),
        ("scanward-key-1 AAAA", 0o600, "site's key"),
        ("scanward-backup-key-1 AAAA", 0o600, "cut short"),
    ],
)
def test_an_unfit_key_file_is_refused(text: str, mode: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(Misconfigured, match=said):
        read_key(tmp_path / "key")
