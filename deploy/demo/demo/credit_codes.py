"""Unified social credit codes that check out, of companies that do not exist."""

from customers.facts import check_character

# GB 11714: the weights of an organisation code's first eight characters.
_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def credit_code(number: int, division: str) -> str:
    """A code of an enterprise (91) registered in a division, with both its check characters."""
    organisation = f"MA{number:06}"
    body = f"91{division}{organisation}{_organisation_check(organisation)}"
    return body + check_character(body)


def _organisation_check(code: str) -> str:
    total = sum(int(letter, 36) * weight for letter, weight in zip(code, _WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
