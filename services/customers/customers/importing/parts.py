"""What files keep otherwise: names in two parts, addresses by street and town, HTML, industries by name.

So rows come to the fields that records have.
"""

import re
from collections.abc import Mapping

from chassis import imports
from chassis.import_rows import Fault
from chassis.imports import Row
from customers.importing import industries, markup
from customers.refusals import refuse

_CHINESE = re.compile(r"[㐀-鿿]")
# What Odoo and HubSpot put behind a province.
_COUNTRY = re.compile(r"\s*[(（][A-Z]{2}[)）]\s*$")
_KIND = re.compile("(省|市|特别行政区|(壮族|回族|维吾尔)?自治区)$")
# Provinces that are one town, as files write them.
_MUNICIPALITIES = {
    name: chinese
    for chinese, pinyin in (("北京", "beijing"), ("上海", "shanghai"), ("天津", "tianjin"), ("重庆", "chongqing"))
    for name in (chinese, pinyin)
}
_NO = frozenset(("false", "0", "no", "n", "否", "individual", "person", "个人"))

Parted = tuple[Row, list[Fault]]


def of_customer(row: Row) -> Parted:
    """The row with its parts put together, and what was left out of it."""
    values = _plain(row.values)
    phones = "; ".join(values[name] for name in ("phones", "mobile") if name in values)
    found = {**values, "phones": phones, "address": _address(values), "industry": values.get("industry", "")}
    found["credit_code"] = values.get("credit_code", "").upper()
    left_out = []
    if found["industry"] and not (code := industries.code_of(found["industry"])):
        left_out.append(imports.fault(refuse("VALUE_IGNORED", field="industry")))
        found["industry"] = ""
    elif found["industry"]:
        found["industry"] = code
    return Row(row.number, {name: value for name, value in found.items() if value}), left_out


def of_contact(row: Row) -> Parted:
    """The same of a contact: a name of two parts is put together, and said without the company before it."""
    values = _plain(row.values)
    parts = [values.get(name, "") for name in ("last_name", "first_name")]
    name = values.get("name", "") or _name(*parts)
    name = name.removeprefix(f"{values.get('customer', '')}, ")
    return Row(row.number, {**values, "name": name} if name else values), []


def is_company(row: Row) -> bool | None:
    """Whether the row says that it is a company; nothing where it says neither."""
    cell = row.values.get("is_company", "")
    return cell.lower() not in _NO if cell else None


def _plain(values: Mapping[str, str]) -> dict[str, str]:
    note = markup.plain(values.get("note", ""))
    return {**values, **({"note": note} if note else {})}


def _name(last: str, first: str) -> str:
    """In the order of its script."""
    return f"{last}{first}" if _CHINESE.search(last + first) else f"{first} {last}".strip()


def _address(values: Mapping[str, str]) -> str:
    """An address from the parts that its street does not say itself: from province to house in Chinese, else from
    house to province."""
    street = values.get("address", "")
    lines = [line for line in (street, values.get("street2", "")) if line]
    around = [part for part in _around(values) if not _says(street, part)]
    if _CHINESE.search("".join([*around, *lines])):
        return "".join([*around, *lines])
    return ", ".join([*lines, *reversed(around)])


def _around(values: Mapping[str, str]) -> list[str]:
    """Province and town, without the country that some put behind them; a municipality, which is both, once."""
    province, city = (_COUNTRY.sub("", values.get(name, "")) for name in ("province", "city"))
    bare = {_MUNICIPALITIES.get(part.lower().removesuffix("市"), part) for part in (province, city) if part}
    if len(bare) == 1:
        return [max(province, city, key=lambda part: (bool(_CHINESE.search(part)), len(part)))]
    return [part for part in (province, city) if part]


def _says(street: str, part: str) -> bool:
    """Whether a street says a part of the country already, in full or, before anything but a kind of place, in short.

    南京路 is in many towns.
    """
    short = _KIND.sub("", part)
    return part in street or bool(short and re.match(re.escape(short) + "(?![省市区县州盟旗路街大道巷里])", street))
