"""Which of the two languages a client reads: Chinese unless it asks for English first."""

from functools import lru_cache

ZH, EN = "zh-CN", "en"


@lru_cache(maxsize=512)
def preferred(accept: str) -> str:
    """The language of an Accept-Language header (RFC 9110 §12.5.4)."""
    wishes = [_wish(part) for part in accept[:200].split(",")]
    english = max((weight for name, weight in wishes if name.startswith("en")), default=0.0)
    chinese = max((weight for name, weight in wishes if name.startswith(("zh", "*"))), default=0.0)
    return EN if english > chinese else ZH


def _wish(part: str) -> tuple[str, float]:
    name, _, parameter = part.strip().partition(";")
    text = parameter.strip().removeprefix("q=")
    try:
        return name.strip().lower(), float(text) if text else 1.0
    except ValueError:
        return name.strip().lower(), 0.0
