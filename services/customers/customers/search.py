"""Search text and its tokens: bigrams, made alike for what is stored and what is asked.

PostgreSQL keeps a run of Chinese whole and its trigrams want three characters; bigrams find any two.
"""

import re
import unicodedata
from collections.abc import Iterable

from pypinyin import Style, lazy_pinyin
from sqlalchemy import ColumnElement, Text, and_, cast, func, literal
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

_WORDS = re.compile(r"\w+")
_CHINESE = re.compile(r"[㐀-鿿]")
SHORTEST = 2


def normalise(text: str) -> str:
    """One form for what looks alike: compatibility characters folded, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def initials(text: str) -> str:
    """The first letters of Chinese characters' pinyin: `shqc` for 上海汽车."""
    return "".join(lazy_pinyin(_CHINESE.findall(text), style=Style.FIRST_LETTER))


def sort_key(name: str) -> str:
    """What names are ordered by: full pinyin, as a Chinese reader expects it; then the name itself."""
    return f"{''.join(lazy_pinyin(normalise(name)))[:200]} {name}"


def search_text(*, names: Iterable[str], code: str) -> str:
    """What a query is looked for in."""
    present = [normalise(name) for name in names if name]
    return " ".join([*present, code.lower(), *filter(None, (initials(name) for name in present))]).strip()


def bigrams(text: str) -> set[str]:
    return {word[at : at + 2] for word in _WORDS.findall(normalise(text)) for at in range(len(word) - 1)}


def vector(text: str) -> ColumnElement[str]:
    """The tsvector of a search text; its lexemes are the bigrams as they are."""
    return func.array_to_tsvector(cast(sorted(bigrams(text)), ARRAY(Text)))


def asked(query: str) -> str:
    """A query in normal form, empty where no word of it has two characters."""
    normal = normalise(query)
    return normal if bigrams(normal) else ""


def condition(vector_column: ColumnElement[str], text_column: ColumnElement[str], query: str) -> ColumnElement[bool]:
    """Rows whose search text holds every word of the query; bigrams find them by index, the text confirms them."""
    grams = " & ".join(f"'{gram}'" for gram in sorted(bigrams(query)))
    found = vector_column.bool_op("@@")(cast(literal(grams), TSQUERY))
    return and_(found, *(text_column.contains(word, autoescape=True) for word in query.split()))
