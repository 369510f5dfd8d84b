"""Facts of the world that customers are checked against: credit codes, divisions, numbers, days."""

import re
from datetime import date
from functools import lru_cache

import phonenumbers

from customers.refusals import refuse

# GB 32100-2015: the alphabet, and the weights of the first seventeen characters.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)
_WEBSITE = re.compile(r"https?://([\w-]+\.)+[^\W\d_][\w-]+\.?(:\d{1,5})?([/?#]\S*)?", re.IGNORECASE)
# GB/T 2260: the provinces' first two digits.
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for code in range(first, last + 1)
)


# Before and after them there is no day here: the first of all has no moment in UTC, and the last no end.
FIRST_YEAR, LAST_YEAR = 1900, 9998


def check_character(body: str) -> str:
    """The check character of a credit code's first seventeen (GB 32100-2015, annex)."""
    total = sum(_ALPHABET.index(letter) * weight for letter, weight in zip(body, _WEIGHTS, strict=True))
    return _ALPHABET[(31 - total % 31) % 31]


def checked_credit_code(code: str) -> str:
    """The code; refuses CREDIT_CODE_INVALID one whose check character is wrong."""
    if code and check_character(code[:17]) != code[17]:
        raise refuse("CREDIT_CODE_INVALID", field="credit_code")
    return code


def checked_division(code: str) -> str:
    """The code; refuses DIVISION_UNKNOWN one of no province."""
    if code and code[:2] not in _PROVINCES:
        raise refuse("DIVISION_UNKNOWN", field="division_code")
    return code


def checked_phone(number: str, *, field: str) -> str:
    """The number in E.164; one without a country is Chinese. Refuses PHONE_INVALID what cannot be rung."""
    found = phone(number)
    if number and not found:
        raise refuse("PHONE_INVALID", field=field)
    return found


@lru_cache(maxsize=4096)
def phone(number: str) -> str:
    """The number in E.164; nothing where it cannot be rung."""
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        return ""
    possible = phonenumbers.is_possible_number(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if possible else ""


def spaced_phone(number: str) -> str:
    """A number in blocks, which no spreadsheet takes for a sum; one that is masked stays as it is."""
    if not number[1:].isdigit():
        return number
    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


def checked_website(address: str) -> str:
    """The address; a domain by itself becomes one. Refuses WEBSITE_INVALID what is neither."""
    found = address.strip()
    if found and not _HAS_SCHEME.match(found):
        found = f"https://{found}"
    if found and not _WEBSITE.fullmatch(found):
        raise refuse("WEBSITE_INVALID", field="customer.website")
    return found


def checked_day(text: str, *, field: str) -> date | None:
    """The day; refuses DATE_INVALID one that no calendar has."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise refuse("DATE_INVALID", field=field) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise refuse("DATE_INVALID", field=field)
    return day


def demand_not_before(day: date, earliest: date, *, field: str, is_: tuple[str, str]) -> None:
    """Refuse DATE_IN_PAST a day before the earliest, naming both and what the earliest is, in Chinese and English."""
    if day < earliest:
        refusal = refuse("DATE_IN_PAST", field=field, date=day, earliest=earliest)
        refusal.zh, refusal.text = f"{day} 早于{is_[0]}（{earliest}）", f"{day} lies before {is_[1]}, {earliest}"
        raise refusal
