"""One request's way through the gateway."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.trace import Span
from starlette.requests import Request

from gateway import languages
from gateway.sessions import Session


@dataclass(slots=True)
class Visit:
    """A request, who makes it, and where its trace and its time stand."""

    request: Request
    headers: Mapping[bytes, bytes]
    span: Span
    trace_id: str
    began: float
    session: Session | None = None
    deadline: float = 0

    def header(self, name: bytes) -> str:
        """A header's value, or nothing."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def language(self) -> str:
        return languages.preferred(self.header(b"accept-language"))

    @property
    def origin(self) -> str:
        """The address the request came from."""
        return self.request.client.host if self.request.client else ""

    def allow(self, seconds: float) -> None:
        """Give the visit this long from its beginning."""
        self.deadline = self.began + seconds

    @property
    def remaining(self) -> float:
        """Seconds left; never none at all, since a service refuses too little by itself."""
        return max(0.001, self.deadline - time.monotonic())
