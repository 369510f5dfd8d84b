"""Two gateways, as of two regions: one session, and one revocation."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx

from chassis.testing import eventually, running
from chassis.testing.processes import free_port

from .platform import Platform

# In so many seconds a session that was ended is out everywhere.
GONE_S = 5


@contextmanager
def second_gateway(platform: Platform) -> Iterator[str]:
    port = free_port()
    with running("gateway", "serve", {**platform.door, "TONGXIAO_LISTEN": f"127.0.0.1:{port}"}):
        yield f"http://localhost:{port}"


def statuses(urls: tuple[str, str], token: str) -> list[int]:
    """What each gateway answers to who bears the token."""
    headers = {"Authorization": f"Bearer {token}"}
    return [httpx.get(f"{url}/v1/me", headers=headers, timeout=20).status_code for url in urls]


def test_one_session_works_at_both_and_ends_at_both(
    arena: Callable[[], AbstractContextManager[Platform]],
) -> None:
    with arena() as platform, second_gateway(platform) as other:
        urls = (platform.url, other)
        token = platform.token("salesperson_h")
        assert statuses(urls, token) == [200, 200]
        signed_out = httpx.post(f"{other}/v1/me:signOut", headers={"Authorization": f"Bearer {token}"}, json={})
        assert signed_out.status_code < 300, signed_out.text
        eventually(lambda: statuses(urls, token) == [401, 401], timeout=GONE_S)
        suspended, admin = platform.token("salesperson_h2"), platform.client("admin")
        assert statuses(urls, suspended) == [200, 200]
        path = f"/v1/employees/{platform.people['salesperson_h2']}"
        answer = admin.post(f"{path}:suspend", headers={"If-Match": "*"}, json={})
        assert answer.status_code == 200, answer.text
        eventually(lambda: statuses(urls, suspended) == [401, 401], timeout=GONE_S)
        assert statuses(urls, platform.token("director")) == [200, 200]
