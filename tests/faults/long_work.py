"""Long work through a storm: an import of many rows and an export of what it made."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .phones import Phone

HEADER = "公司名称,标签\r\n"


@dataclass
class LongWork:
    """What a salesperson has done for them while they write on."""

    phone: Phone

    async def import_(self, rows: int, *, nameless: int = 0, before_start: Callable[[], None] = lambda: None) -> Any:
        """An import of so many rows, once it has ended; those without a name fail."""
        names = [f"甬江电子 {number}" for number in range(rows - nameless)] + [""] * nameless
        content = HEADER + "".join(f"{name},imported\r\n" for name in names)
        file = await self._upload(content.encode())
        given = {"kind": "customer", "fileKey": file["key"], "fileName": "客户.csv"}
        job = await self.phone.ask("POST", "/v1/imports", given)
        waiting = await self._until(f"/v1/imports/{job['id']}", "JOB_STATE_WAITING")
        before_start()
        await self.phone.ask("POST", f"/v1/imports/{job['id']}:start", {"etag": waiting["etag"]})
        return await self._until(f"/v1/imports/{job['id']}", "JOB_STATE_DONE")

    async def export(self) -> list[list[str]]:
        """The rows of an export of the customers that were imported."""
        given = {"kind": "EXPORT_KIND_CUSTOMERS", "format": "EXPORT_FORMAT_CSV", "filter": {"tag": "imported"}}
        job = await self.phone.ask("POST", "/v1/exports", given)
        done = await self._until(f"/v1/exports/{job['id']}", "JOB_STATE_DONE")
        answer = await self.phone.client.get(f"/v1/files/{done['fileKey']}")
        return list(csv.reader(io.StringIO(answer.text)))[1:]

    async def _upload(self, content: bytes) -> Any:
        return await self.phone.send("POST", "/v1/files?name=customers.csv", content=content)

    async def _until(self, path: str, state: str) -> Any:
        while True:
            found = await self.phone.ask("GET", path)
            if found["state"] in (state, "JOB_STATE_FAILED"):
                assert found["state"] == state, found
                return found
            await self.phone.rest()
