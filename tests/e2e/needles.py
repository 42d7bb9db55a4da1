"""The people whose identifiers are planted, and every way in which an identifier may be spelled in bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

ROOT_UID = "1.2.826.0.1.3680043.9.77416"
DATES = ("19330417", "20170823", "20170824", "20170825", "20170826", "20170827", "20170828", "20170829")
TIMES = ("134751.31827", "134752.31827", "134753.31827", "134754.31827", "134755.31827", "042917.511")
ENCODINGS = (
    "utf-8",
    "latin-1",
    "utf-16-le",
    "utf-16-be",
    "iso2022_jp",
    "iso2022_jp_2",
    "shift_jis",
    "euc_jp",
    "iso8859_5",
    "koi8_r",
    "cp1251",
)


@dataclass(frozen=True, slots=True)
class Person:
    """One planted person; `charset` is the Specific Character Set, `codec` what Python calls its bytes."""

    number: int
    charset: str
    codec: str
    name: str
    latin_family: str
    latin_given: str
    mother: str
    physician: str
    institution: str
    address: str
    text: str
    patient_id: str
    accession: str
    telephone: str
    serial: str
    station: str
    study_id: str

    def raw(self, text: str) -> bytes:
        """Return a text as bytes of an element that no library encodes for us."""
        return text.encode(self.codec, errors="ignore")

    def words(self) -> Iterator[str]:
        """Yield every word that must not survive, UIDs, dates and times left out."""
        texts = (self.name, self.mother, self.physician, self.institution, self.address, self.text)
        for text in texts:
            for word in text.replace("^", " ").replace("=", " ").replace(",", " ").split():
                # Two ideographs are a family name; two Latin letters may stand in any pixel.
                if len(word) >= (2 if word.isalpha() and not word.isascii() else 5):
                    yield word
        yield from (self.latin_family, self.latin_given, self.patient_id, self.accession)
        yield from (self.telephone, self.serial, self.station[:16], self.study_id)


LATIN = Person(
    number=1,
    charset="ISO_IR 100",
    codec="latin-1",
    name="Zqxmüllner^Imeldaqz^Qzwendy",
    latin_family="Zqxmuellner",
    latin_given="Imeldaqz",
    mother="Zqxhofstätter^Ottilieqz",
    physician="Zqxdoktorow^Feliciaqz",
    institution="Zqxspital Qzbergheim",
    address="Zqxgasse 7741, Qzdornbirn",
    text="seen by Zqxdoktorow for Zqxmüllner Imeldaqz",
    patient_id="ZQXPID7741",
    accession="ZQXACC5519",
    telephone="+43 7741 5519913",
    serial="ZQXSER-6612",
    station="ZQXSTATION77",
    study_id="ZQXSTUDY44",
)
JAPANESE = Person(
    number=2,
    charset="\\ISO 2022 IR 87",
    codec="iso2022_jp",
    name="Washiozq^Reinazq=鷲尾^麗奈=わしお^れいな",
    latin_family="Washiozq",
    latin_given="Reinazq",
    mother="Kurosakizq^Fumizq=黒崎^富美=くろさき^ふみ",
    physician="Shidozq^Genzq=獅堂^玄=しどう^げん",
    institution="Washiozq Byoin",
    address="鷲尾町七七四一",
    text="Washiozq 鷲尾麗奈 folgtqz",
    patient_id="QZXPID8852",
    accession="QZXACC6620",
    telephone="+81 8852 6620024",
    serial="QZXSER-7723",
    station="QZXSTATION88",
    study_id="QZXSTUDY55",
)
CYRILLIC = Person(
    number=3,
    charset="ISO_IR 144",
    codec="iso8859_5",
    name="Щербацевич^Евлампия",
    latin_family="Shcherbatsevich",
    latin_given="Evlampiia",
    mother="Жирмундская^Фёкла",
    physician="Чухонцев^Ипполит",
    institution="Больница Щербацевича",
    address="Перепелиная 7741",
    text="Щербацевич Shcherbatsevich Евлампия",
    patient_id="XZQPID9963",
    accession="XZQACC7731",
    telephone="+7 9963 7731135",
    serial="XZQSER-8834",
    station="XZQSTATION99",
    study_id="XZQSTUDY66",
)
PEOPLE = (LATIN, JAPANESE, CYRILLIC)


def spellings(word: str) -> Iterator[bytes]:
    """Yield a word in every plausible case, encoding and escape."""
    cased = {word, word.upper(), word.lower(), word.title()}
    for spelling in (
        cased | {quote(spelling) for spelling in cased} | {json.dumps(text)[1:-1] for text in cased}
    ):
        for encoding in ENCODINGS:
            try:
                found = spelling.encode(encoding)
            except UnicodeEncodeError:
                continue
            if len(found) >= len("ab") * 2:
                yield found


def needles(
    people: Iterable[Person], *, times_kept: bool = False, dates_kept: bool = False
) -> tuple[bytes, ...]:
    """Return every byte string that must not be found; without the dates and times that a profile keeps."""
    words = {word for person in people for word in person.words()} | {f"{ROOT_UID}."}
    if not dates_kept:
        words |= set(DATES)
    if not times_kept:
        words |= set(TIMES)
    return tuple(sorted({spelling for word in words for spelling in spellings(word)}))


def found(haystack: bytes, wanted: tuple[bytes, ...]) -> list[bytes]:
    """Return the needles that a haystack holds."""
    return [needle for needle in wanted if needle in haystack]
