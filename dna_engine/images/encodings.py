"""In which encoding bytes from elsewhere are text: found where there is one answer, asked for where there are several. Torch-free.

Zips of Windows have names in the code page of the machine that packed them, and do not say which. ``charset-normalizer`` says in
which ones they could be text at all; short names often could be in several, of which the rest is told by their letters: people write
with common ones.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Sequence

from charset_normalizer import from_bytes

from dna_engine.errors import DataError

#: Code pages of Windows and DOS, with what people call them.
_PAGES = {
    "cp932": "Shift-JIS", "gb18030": "GBK", "big5": "Big5", "cp949": "Korean", "cp437": "DOS Latin", "cp850": "DOS Western",
    "cp852": "DOS Central European", "cp866": "DOS Cyrillic", "cp1250": "Windows Central European", "cp1251": "Windows Cyrillic",
    "cp1252": "Windows Western",
}  # fmt: skip
#: Names in zips are still written in these, texts are not.
_DOS = ("cp437", "cp850", "cp852", "cp866")
#: The first bytes of the common letters of each page, by the standard that it grew from: the first level of the kanji and hanzi, and
#: the hangul.
_COMMON: dict[str, tuple[str, range]] = {
    "cp932": ("shift_jis", range(0x88, 0x99)),
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "big5": ("big5", range(0xA4, 0xC7)),
    "cp949": ("euc_kr", range(0xB0, 0xC9)),
}
#: What Python can decode and nobody writes names in.
_NO_TEXTS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw-unicode-escape", "unicode-escape", "raw_unicode_escape", "utf-7"}
)
_KANA = range(0x3041, 0x3100)
#: From this letter on UTF-8 takes three bytes, which no other encoding has by chance.
_THREE_BYTES = 0x800
#: Of what charset-normalizer calls mess, and of common letters: more and fewer are no text.
_MOST_MESS, _COMMONNESS = 0.3, 0.9
_WORDS = re.compile(r"[^\W\d_]+")
#: Characters of names that are shown.
_SHOWN = 40


def known(encoding: str) -> str:
    """Python's name of an encoding of text.

    Raises:
        DataError: there is none of that name.
    """
    try:
        found = codecs.lookup(encoding[:100])
        if found.name in _NO_TEXTS:
            raise LookupError(found.name)
        b"a".decode(found.name)
    except (LookupError, ValueError, UnicodeError) as error:
        raise _ask(
            f"There is no encoding named {encoding[:100]!r}. Known are those of Python, such as {', '.join(_PAGES)}."
        ) from error
    return found.name


def encoding_of(names: Sequence[bytes]) -> str:
    """In which encoding these names were written.

    Raises:
        DataError: in several they could be; the message shows how they would read.
    """
    sample = b"\n".join(names)
    if is_utf_8(sample):
        return "utf-8"
    found = _plausible(sample, list(_PAGES))
    if not found and _decodes(sample, "utf-8"):
        return "utf-8"
    if len(set(found.values())) == 1:
        return next(iter(found))
    shown = "; ".join(f"{encoding} ({_PAGES[encoding]}): {_excerpt(text)}" for encoding, text in found.items())
    which = f"They could be read as {shown}" if found else f"Known are {', '.join(_PAGES)}, and others of Python"
    raise _ask(
        f"The archive does not say in which encoding its names are written. {which}. Say which, as encoding; or pack it anew with "
        "names in UTF-8."
    )


def is_utf_8(sample: bytes) -> bool:
    """Whether bytes are text in UTF-8. Some pairs of letters in GBK could be that by chance, and then are none that anybody writes."""
    if sample.isascii():
        return True
    if not _decodes(sample, "utf-8"):
        return False
    text = unicodedata.normalize("NFC", sample.decode("utf-8", "ignore"))
    return any(ord(letter) >= _THREE_BYTES for letter in text) or all(map(_is_of_one_script, _WORDS.findall(text)))


def told(encoding: str, names: Sequence[str]) -> str:
    """A sentence on names that were read in an encoding that nobody named."""
    return (
        f"Names of the archive without a word on their encoding were read as {_PAGES.get(encoding, encoding)} ({encoding}): "
        f"{', '.join(names)}. Where that is wrong, send it again with another encoding."
    )


def text_of(sample: bytes, shown: str) -> str:
    """The encoding of a file of text that begins so.

    Raises:
        DataError: it cannot be told.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            return encoding
    if is_utf_8(sample):
        return "utf-8"
    found = _plausible(sample, [page for page in _PAGES if page not in _DOS])
    if len(set(found.values())) != 1:
        raise DataError(f"In which encoding {shown} is written cannot be told. Save it in UTF-8.", param="dataset")
    return next(iter(found))


def _decodes(sample: bytes, encoding: str) -> bool:
    """A last letter may be cut off."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _plausible(sample: bytes, pages: list[str]) -> dict[str, str]:
    """The text in each encoding in which it is one, the likeliest first."""
    matches = from_bytes(sample, cp_isolation=pages, threshold=_MOST_MESS, enable_fallback=False)
    names = [name for match in matches for name in (match.encoding, *match.could_be_from_charset)]
    found = {}
    for name in dict.fromkeys(names):
        if name in pages and _decodes(sample, name):
            text = sample.decode(name, "ignore")
            if _commonness(text, name) >= _COMMONNESS:
                found[name] = text
    return found


def _commonness(text: str, encoding: str) -> float:
    """Which share of the letters beyond ASCII somebody would write; 0 where there are none."""
    letters = [character for character in text if not character.isascii()]
    if encoding in _COMMON:
        common = sum(_is_common(letter, *_COMMON[encoding]) for letter in letters)
    else:
        words = [word for word in _WORDS.findall(text) if _is_word(word) and _half_plain(word)]
        common = sum(not letter.isascii() for word in words for letter in word)
    return common / len(letters) if letters else 0


def _is_common(letter: str, standard: str, first: range) -> bool:
    if ord(letter) in _KANA:
        return standard == "shift_jis"
    try:
        code = letter.encode(standard)
    except UnicodeEncodeError:
        return False
    return code[0] in first or (len(code) == 2 and unicodedata.category(letter)[0] in "PZN")


def _is_word(word: str) -> bool:
    """Letters of one script that has large ones, at the beginning or throughout."""
    cased = word.islower() or word.isupper() or word[1:].islower()
    return cased and _is_of_one_script(word)


def _is_of_one_script(word: str) -> bool:
    return len({unicodedata.name(letter, "").partition(" ")[0] for letter in word}) == 1


def _half_plain(word: str) -> bool:
    """Latin words have as many letters without accents at least."""
    plain = sum(letter.isascii() for letter in word)
    return 2 * plain >= len(word) or not unicodedata.name(word[0]).startswith("LATIN")


def _excerpt(text: str) -> str:
    """The first names with letters beyond ASCII."""
    names = [name for name in text.split("\n") if not name.isascii()]
    return ", ".join(names)[:_SHOWN]


def _ask(message: str) -> DataError:
    return DataError(message, param="encoding")
