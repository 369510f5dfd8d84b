"""What an employee's record is checked against."""

from collections.abc import Mapping
from typing import Any

import phonenumbers

from identity.refusals import refuse

# Of a sign-in name, as its schema and Keycloak have it.
_SHORTEST_USERNAME = 3
DEFAULT_LOCALE = "zh-CN"


def checked_mobile(number: str) -> str:
    """The number in E.164; one without a country is Chinese. Refuses MOBILE_INVALID what cannot be rung."""
    if not number:
        return ""
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException as error:
        raise refuse("MOBILE_INVALID", field="employee.mobile") from error
    if not phonenumbers.is_possible_number(parsed):
        raise refuse("MOBILE_INVALID", field="employee.mobile")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def checked(given: Mapping[str, Any], *, number: str) -> dict[str, Any]:
    """The values in the form they are kept in; without a sign-in name, the number in lower case is it.

    Refuses MOBILE_INVALID, and NUMBER_TOO_SHORT a number that would have to be the sign-in name and cannot.
    """
    found = dict(given)
    if "mobile" in found:
        found["mobile"] = checked_mobile(found["mobile"])
    if "email" in found:
        found["email"] = found["email"].lower()
    if "locale" in found:
        found["locale"] = found["locale"] or DEFAULT_LOCALE
    if "username" in found:
        if not found["username"] and len(number) < _SHORTEST_USERNAME:
            raise refuse("NUMBER_TOO_SHORT", field="employee.number")
        found["username"] = found["username"] or number.lower()
    return found
