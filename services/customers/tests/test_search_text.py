"""What names are ordered and found by."""

from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from customers import search

# Words whose characters are read otherwise alone, any Chinese character, and what is none.
WORDS = st.sampled_from(sorted(PHRASES_DICT))
CHINESE = st.characters(min_codepoint=0x3400, max_codepoint=0x9FFF)
PIECES = st.one_of(WORDS, st.text(CHINESE, max_size=4), st.text(max_size=4))


@settings(max_examples=2000, deadline=None)
@given(st.lists(PIECES, max_size=6).map("".join))
def test_names_are_read_as_the_dictionary_reads_them_whole(name: str) -> None:
    normal = search.normalise(name)
    sounds = "".join(lazy_pinyin(normal, errors=list))  # type: ignore[arg-type]
    assert search.sort_key(name) == f"{sounds[:200]} {name}"


def test_a_word_is_read_by_what_it_means() -> None:
    assert search.sort_key("重庆长安").startswith("chongqingchangan ")
    assert search.initials("重庆长安 A1") == "cqca"
