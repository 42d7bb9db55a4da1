"""Every rule of the gate: what it says and where the standard does."""

from __future__ import annotations

from typing import NamedTuple

from scanward.errors import Severity


class Rule(NamedTuple):
    """A rule's sentence (with fields in braces), its clause, and whether breaking it refuses the object."""

    message: str
    clause: str
    severity: Severity = "reject"


_META = "PS3.10 7.1"
_ELEMENT = "PS3.5 7.1"
_ITEMS = "PS3.5 7.5"
_FRAGMENTS = "PS3.5 A.4"
_PIXELS = "PS3.3 C.7.6.3"
_DEFLATE = "PS3.5 A.5"

RULES: dict[str, Rule] = {
    # The file
    "not-readable": Rule("The file cannot be opened: {reason}", ""),
    "not-a-file": Rule("Not a regular file but {kind}", ""),
    "link-outside": Rule("The link leaves the input folder", ""),
    "empty": Rule("The file is empty", _META),
    "object-too-large": Rule("The object is larger than {bound} bytes", ""),
    "not-dicom": Rule("Not DICOM: {why}", _META),
    "preamble-missing": Rule("The file has no preamble and no `DICM`", _META, "warn"),
    # File meta and transfer syntax
    "meta-truncated": Rule("The file ends inside the file meta", _META),
    "meta-vr": Rule("File meta element {tag} has no VR of Explicit VR Little Endian", _META),
    "meta-order": Rule("File meta element {tag} is out of order or repeated", _META),
    "meta-group-length": Rule("The file meta's group length is missing or wrong", _META, "warn"),
    "meta-class-differs": Rule("The SOP class of file meta and data set differ", _META, "warn"),
    "meta-instance-differs": Rule("The instance UID of file meta and data set differ", _META, "warn"),
    "transfer-syntax-unknown": Rule("The transfer syntax is not one of PS3.6", "PS3.5 10"),
    "transfer-syntax-unsupported": Rule("The transfer syntax is not taken: {why}", "PS3.5 10"),
    "transfer-syntax-missing": Rule("The transfer syntax is missing, and the data set shows none", _META),
    "transfer-syntax-guessed": Rule("The transfer syntax is missing; the data set shows it", _META, "warn"),
    "dataset-missing": Rule("There is no data set behind the file meta", _META),
    "byte-order-differs": Rule("The data set does not begin in the byte order that is declared", "PS3.5 7.3"),
    "vr-encoding-differs": Rule("The data set is {found}, where {declared} VR is declared", _ELEMENT),
    # Deflate
    "deflate-broken": Rule("The data set is not a deflate stream", _DEFLATE),
    "deflate-truncated": Rule("The deflated data set ends early", _DEFLATE),
    "inflate-bound": Rule("The data set inflates beyond {bound}", _DEFLATE),
    # Elements
    "length-outside": Rule("{what} says {length} bytes, {left} remain in its container", _ELEMENT),
    "header-truncated": Rule("The data end inside an element's header", "PS3.5 7.1.2"),
    "odd-length": Rule("{what} has an odd length", "PS3.5 7.1.1", "warn"),
    "undefined-length": Rule("Element {tag} of VR {vr} cannot have an undefined length", "PS3.5 7.1.1"),
    "reserved-bytes": Rule("The two reserved bytes behind the VR are not zero", "PS3.5 7.1.2", "warn"),
    "vr-unknown": Rule("Element {tag} has no VR of PS3.5", "PS3.5 6.2"),
    "un-explicit": Rule("{tag} of VR UN holds explicit items", "PS3.5 6.2.2", "warn"),
    "tag-illegal": Rule("{tag} has no place in a data set", "PS3.5 7.8"),
    "tag-order": Rule("Element {tag} is not in ascending order", _ELEMENT),
    "tag-duplicate": Rule("Element {tag} occurs twice with different contents", _ELEMENT),
    "tag-repeated": Rule("Element {tag} is repeated byte for byte", _ELEMENT, "warn"),
    "trailing-zeros": Rule("Zero bytes follow the last element", "PS3.10 7.2", "warn"),
    "trailing-bytes": Rule("Bytes that are no element follow {what}", _ELEMENT),
    "uid-form": Rule("A UID has other characters than digits and dots, or more than 64", "PS3.5 9.1"),
    "uid-mild": Rule("A UID has a leading zero in a component, or a dot at its end", "PS3.5 9.1", "warn"),
    # Sequences and fragments
    "item-expected": Rule("{tag} stands where {what} should", _ITEMS),
    "delimiter-unexpected": Rule("{tag} stands where it closes nothing", _ITEMS),
    "delimiter-missing": Rule("{what} is never closed", _ITEMS),
    "delimiter-length": Rule("A delimiter has a length", _ITEMS, "warn"),
    "depth-bound": Rule("Sequences nest deeper than {bound}", ""),
    "element-bound": Rule("The object has more than {bound} elements", ""),
    "item-bound": Rule("The object has more than {bound} items", ""),
    "fragment-bound": Rule("The object has more than {bound} fragments", ""),
    "fragments-missing": Rule("{found} fragments hold {frames} frames", _FRAGMENTS),
    "offset-table": Rule("The offset table does not name one fragment a frame", _FRAGMENTS, "warn"),
    # Pixels
    "pixels-missing": Rule("An object of an image class has no pixel data", _PIXELS),
    "pixels-twice": Rule("The object has more than one kind of pixel data", _PIXELS),
    "pixels-encapsulated": Rule("Pixel data come in fragments, the transfer syntax says native", _FRAGMENTS),
    "pixels-native": Rule("Pixel data are native, the transfer syntax says encapsulated", _FRAGMENTS),
    "pixel-attributes": Rule("Pixel data need {what}", _PIXELS),
    "pixel-length": Rule("Pixel data have {found} bytes, the attributes say {expected}", "PS3.5 8.1"),
    "pixel-padding": Rule("Pixel data are {more} zero bytes too long", "PS3.5 8.1", "warn"),
    "codestream-header": Rule("A frame has no {codec} header", "PS3.5 8.2"),
    "codestream-size": Rule("A frame's header says {found}, the attributes say {expected}", "PS3.5 8.2"),
    "codestream-differs": Rule("A frame's header differs from the attributes in {what}", "PS3.5 8.2", "warn"),
}  # fmt: skip
