"""Search text and its tokens: bigrams, made alike for what is stored and what is asked.

PostgreSQL keeps a run of Chinese whole and its trigrams want three characters; bigrams find any two.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from pypinyin import lazy_pinyin
from pypinyin.constants import RE_HANS
from pypinyin.seg.simpleseg import seg

from customers import facts

_WORDS = re.compile(r"\w+")
_PHONE = re.compile(r"[+(]?[\d\s().\-]+")
_WILD = re.compile(r"[\\%_]")
_CHINESE = re.compile(r"[㐀-鿿]")
# The digits that the end of a phone has at least to be looked for, and a whole one at most.
SHORTEST_END, LONGEST_PHONE = 4, 15


def normalise(text: str) -> str:
    """One form for what looks alike: compatibility characters folded, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def initials(text: str) -> str:
    """The first letters of Chinese characters' pinyin: `shqc` for 上海汽车."""
    normal = normalise(text)
    return "".join(sound[0] for letter, sound in zip(normal, _sounds(normal), strict=True) if _CHINESE.match(letter))


def sort_key(name: str) -> str:
    """What names are ordered by: full pinyin, as a Chinese reader expects it; then the name itself."""
    return f"{''.join(_sounds(normalise(name)))[:200]} {name}"


@lru_cache(maxsize=1024)
def _sounds(text: str) -> list[str]:
    """The pinyin of each character, by the words they make; of what is not Chinese, the character itself."""
    return [sound for word in seg(text) for sound in (_read(word) if RE_HANS.match(word) else word)]


@lru_cache(maxsize=16384)
def _read(word: str) -> list[str]:
    """A word's pinyin. Names are made of the same words, and each look-up takes longer than all else of a name."""
    return lazy_pinyin([word], errors=list)  # type: ignore[arg-type]


def search_text(*, names: Iterable[str], code: str) -> str:
    """What a query is looked for in."""
    present = [normalise(name) for name in names if name]
    return " ".join([*present, code.lower(), *filter(None, (initials(name) for name in present))]).strip()


def bigrams(text: str) -> set[str]:
    return {word[at : at + 2] for word in _WORDS.findall(normalise(text)) for at in range(len(word) - 1)}


def vector(text: str) -> str:
    """The tsvector of a search text, as PostgreSQL writes one; its lexemes are the bigrams as they are."""
    return " ".join(f"'{gram}'" for gram in sorted(bigrams(text)))


def asked(query: str) -> str:
    """A query in normal form, empty where no word of it has two characters."""
    normal = normalise(query)
    return normal if bigrams(normal) else ""


def phone_ends(query: str) -> list[str]:
    """The digits that phones meant by a query end with: those it has, and those of the whole number they are."""
    text = normalise(query)
    digits = re.sub(r"\D", "", text)
    if not _PHONE.fullmatch(text) or not SHORTEST_END <= len(digits) <= LONGEST_PHONE:
        return []
    return sorted({digits, facts.phone(text)[1:]} - {""})


def tsquery(query: str) -> str:
    """What finds, by index, the search texts with every bigram of a query."""
    return " & ".join(f"'{gram}'" for gram in sorted(bigrams(query)))


def patterns(query: str) -> list[str]:
    """What the search text is like that holds every word of a query; bigrams find it by index, these confirm it."""
    return ["%" + _WILD.sub(r"\\\g<0>", word) + "%" for word in query.split()]
