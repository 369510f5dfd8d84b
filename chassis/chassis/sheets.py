"""Tables in files: CSV in UTF-8, UTF-16 or GB18030, and XLSX, read by a process of their own.

A file may be made to harm: its reader has bounded memory and time, and dies alone.

python -m chassis.sheets PATH [SHEET] prints a line of JSON for the header and for each row, or for a refusal.
"""

import csv
import io
import json
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from chassis.errors import refuse

ROWS, COLUMNS, CELL = 200_000, 200, 32_767
MEMORY, SECONDS = 2 * 1024**3, 120
UNPACKED = 512 * 1024**2

# What a spreadsheet would take for a formula (OWASP, "CSV injection"); phones alone are none.
_FORMULA = re.compile(r"^(?!\+[\d* ]+(; \+[\d* ]+)*$)[=+\-@\t\r]")
_ENCODINGS = ("utf-8-sig", "gb18030")
_DELIMITERS = ",;\t"

Row = tuple[int, list[str]]


class RefusedError(Exception):
    """A file that is not taken, the reason, and what the refusal says beside it."""

    def __init__(self, reason: str, **metadata: str) -> None:
        super().__init__(reason)
        self.reason, self.metadata = reason, metadata


def read(path: Path, sheet: str = "") -> Iterator[Row]:
    """The rows that hold anything, numbered as a spreadsheet does, the header first.

    Refuses FILE_EMPTY, FILE_UNREADABLE, FILE_ENCODING, FILE_TOO_LARGE, TOO_MANY_ROWS, TOO_MANY_COLUMNS, and
    SHEET_UNKNOWN with the sheets there are, a line each.
    """
    command = [sys.executable, "-m", "chassis.sheets", str(path), sheet]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:  # noqa: S603
        assert reader.stdout
        try:
            for line in reader.stdout:
                found = json.loads(line)
                if isinstance(found, dict):
                    raise refuse(found.pop("reason"), **found)
                yield found[0], found[1]
        finally:
            reader.kill()
        if reader.wait():
            raise refuse("FILE_UNREADABLE")


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """A cell as it was before it was made safe, by this release or by one that made phones safe too."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in "=+-@\t\r" else cell


def write_csv(rows: Iterable[Sequence[str]], to: io.TextIOBase) -> None:
    """Rows as CSV; no cell of them is a formula."""
    writer = csv.writer(to)
    for row in rows:
        writer.writerow([safe(cell) for cell in row])


def write_xlsx(rows: Iterable[Sequence[str]], path: Path) -> None:
    """Rows as a workbook of texts; nothing in it is a formula or a link."""
    # Loaded where it is used: a tenth of a second that no API's start should wait for.
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                sheet.write_string(number, at, cell[:CELL])


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    path, sheet = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    write = sys.stdout.write
    try:
        for row in _checked(_rows(path, sheet)):
            write(json.dumps(row, ensure_ascii=True) + "\n")
    except RefusedError as error:
        write(json.dumps({"reason": error.reason, **error.metadata}) + "\n")
    except MemoryError:
        write(json.dumps({"reason": "FILE_TOO_LARGE"}) + "\n")


def _checked(rows: Iterator[list[str]]) -> Iterator[Row]:
    """Rows that hold anything, within limits; the header's empty end is cut off."""
    width = found = 0
    for number, cells in enumerate(rows, start=1):
        if not any(cells):
            continue
        if not width:
            cells = _named(cells)
            width = len(cells)
        found += 1
        if found > ROWS + 1:
            raise RefusedError("TOO_MANY_ROWS")
        while len(cells) > width and not cells[-1]:
            cells.pop()
        yield number, cells + [""] * (width - len(cells))
    if not width:
        raise RefusedError("FILE_EMPTY")


def _named(header: list[str]) -> list[str]:
    """The header's names: each has one, and none is there twice."""
    last = max(at for at, cell in enumerate(header, 1) if cell)
    if last > COLUMNS:
        raise RefusedError("TOO_MANY_COLUMNS")
    names: list[str] = []
    for at, cell in enumerate(header[:last], start=1):
        name = cell or f"#{at}"
        names.append(name if name not in names else f"{name} #{at}")
    return names


def _rows(path: Path, sheet: str) -> Iterator[list[str]]:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PK\x03\x04":
        return _workbook(path, sheet)
    if magic in (b"\xd0\xcf\x11\xe0", b"%PDF") or magic[:2] == b"\x1f\x8b":
        raise RefusedError("FILE_UNREADABLE")
    return _separated(path.read_bytes())


def _separated(raw: bytes) -> Iterator[list[str]]:
    text = _decoded(raw)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(1_000_000)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [plain(cell.strip(" \u3000")) for cell in row]
    except csv.Error as error:
        raise RefusedError("FILE_UNREADABLE") from error


def _decoded(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decoded_as(raw, ("utf-16",))
    if b"\0" in raw:
        raise RefusedError("FILE_UNREADABLE")
    return _decoded_as(raw, _ENCODINGS)


def _decoded_as(raw: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedError("FILE_ENCODING")


def _workbook(path: Path, sheet: str) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > UNPACKED:
                raise RefusedError("FILE_TOO_LARGE")
        book = CalamineWorkbook.from_path(path)
        if sheet and sheet not in book.sheet_names:
            raise RefusedError("SHEET_UNKNOWN", sheets="\n".join(book.sheet_names))
        found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        for row in found.to_python(skip_empty_area=False):
            yield [_text(cell) for cell in row]
    except (CalamineError, zipfile.BadZipFile, OSError) as error:
        raise RefusedError("FILE_UNREADABLE") from error


def _text(cell: Any) -> str:
    """A cell as a person reads it: whole numbers without a point, days without an hour."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return plain(str(cell).strip(" \u3000"))


if __name__ == "__main__":
    main()
