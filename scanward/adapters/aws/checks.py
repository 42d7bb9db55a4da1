"""What AWS takes as a key, as metadata, as a header: checked here, because its own refusals say little."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from scanward.errors import BadInput

_KEY_BYTES: Final = 1024
_METADATA_BYTES: Final = 2048
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VISIBLE: Final = re.compile(r"[ -~]*")
_MEDIA_TYPE: Final = re.compile(
    r"[!#$&^_.+\-0-9A-Za-z]+/[!#$&^_.+\-0-9A-Za-z]+"
    r"(?: *; *[!#$&^_.+\-0-9A-Za-z]+=(?:[!#$&^_.+\-0-9A-Za-z]+|\"[ !#-\[\]-~]*\"))*"
)
_DISPOSITION: Final = re.compile(
    r"(?P<kind>attachment|inline)"
    r"(?: *; *filename=(?:\"(?P<quoted>[^\"\\\x00-\x1f\x7f]*)\"|(?P<bare>[^\s\"\\;,=\x00-\x1f\x7f]+)))? *",
    re.IGNORECASE,
)
# What a file's name may not hold on some system; a quotation mark or a per cent would also be read twice.
_UNSAFE_IN_NAME: Final = re.compile(r"[\"\\/:*?<>|%;]")


def object_key(key: str) -> str:
    """Return a key that S3 takes: 1 to 1,024 bytes of UTF-8. Raises BadInput, without the key."""
    try:
        length = len(key.encode())
    except (AttributeError, UnicodeEncodeError):
        raise BadInput("An object key is a text of Unicode characters.") from None
    if not 0 < length <= _KEY_BYTES:
        raise BadInput(f"An object key has 1 to {_KEY_BYTES} bytes in UTF-8; this one has {length}.")
    return key


def user_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Return an object's own metadata as S3 takes it. Raises BadInput, without a value.

    Each entry is sent as a header: names of letters, digits and hyphens (any HTTP token), values of
    printable ASCII without space at the ends, 2,048 bytes together. S3 lowers the names.
    """
    if not metadata:
        return {}
    if not isinstance(metadata, Mapping):
        raise BadInput("Metadata is a dictionary of texts.")
    wrong = [place for place, (name, value) in enumerate(metadata.items(), 1) if not _is_entry(name, value)]
    if wrong:
        raise BadInput(
            f"Metadata entry {', '.join(map(str, wrong))} cannot be a header: a name is letters, digits and "
            "hyphens, a value printable ASCII without line breaks and without space at its ends. Encode "
            "other text first, for instance by urllib.parse.quote."
        )
    if len({name.lower() for name in metadata}) < len(metadata):
        raise BadInput("Two metadata names differ in case only; S3 keeps names in lower case.")
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > _METADATA_BYTES:
        raise BadInput(f"Metadata has {size} bytes; S3 keeps {_METADATA_BYTES} with an object.")
    return dict(metadata)


def _is_entry(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and _TOKEN.fullmatch(name) is not None
        and _VISIBLE.fullmatch(value) is not None
        and value == value.strip()
    )


def content_type(value: str) -> str:
    """Return a media type such as `application/dicom`. Raises BadInput: it becomes a header."""
    if not isinstance(value, str) or _MEDIA_TYPE.fullmatch(value) is None:
        raise BadInput("A content type is `type/subtype` with parameters in ASCII, e.g. application/dicom.")
    return value


def content_disposition(value: str) -> str:
    """Return a Content-Disposition that no file name can break out of (RFC 6266). Raises BadInput.

    `attachment` or `inline`, and perhaps `; filename="…"`. A name outside of ASCII is sent as `filename*`,
    with a fallback in ASCII.
    """
    found = _DISPOSITION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise BadInput(
            'A content disposition is `attachment` or `inline`, and `; filename="…"` without quotation '
            "marks, backslashes or line breaks in the name."
        )
    name = found["quoted"] or found["bare"]
    return disposition(name, found["kind"].lower()) if name else found["kind"].lower()


def disposition(filename: str, kind: str = "attachment") -> str:
    """Return the Content-Disposition that saves a download as `filename`, whatever characters that has.

    What is unsafe in a name on some system, or cannot be seen, becomes `_`.
    """
    visible = "".join(one if one.isprintable() else "_" for one in filename)
    safe = _UNSAFE_IN_NAME.sub("_", visible)
    fallback = "".join(one if one.isascii() else "_" for one in safe)
    if fallback == safe:
        return f'{kind}; filename="{safe}"'
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(safe, safe='')}"
