"""The realm's public keys: fetched when needed, kept while the realm cannot be reached."""

import asyncio
import logging
import time

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from gateway.refusals import refuse

log = logging.getLogger(__name__)

FRESH_S = 600
# How soon an unknown key id may make us ask again; else made-up ids would be a flood.
AGAIN_S = 30
# How soon to ask again while no key was ever had.
FIRST_S = 1
TIMEOUT_S = 3


class Keys:
    """A JWK Set by key id."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client, self._url = client, url
        self._keys: dict[str, RSAKey] = {}
        self._tried = self._had = -float("inf")
        self._fetching = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> RSAKey | None:
        """The key, if the realm has it; refuses SIGN_IN_UNAVAILABLE while no key was ever had."""
        if key_id not in self._keys:
            await self._fetch_if_due(key_id)
        elif time.monotonic() - self._had > FRESH_S and not self._fetching.locked():
            self._renewal = asyncio.create_task(self._fetch_if_due(""))
        if not self._keys:
            raise refuse("SIGN_IN_UNAVAILABLE")
        return self._keys.get(key_id)

    async def _fetch_if_due(self, key_id: str) -> None:
        """Fetch, unless another request just did: those that come meanwhile wait for it."""
        async with self._fetching:
            pause = AGAIN_S if self._keys else FIRST_S
            if key_id not in self._keys and time.monotonic() - self._tried > pause:
                await self._fetch()

    async def _fetch(self) -> None:
        self._tried = time.monotonic()
        try:
            answer = await self._client.get(self._url, timeout=TIMEOUT_S)
            answer.raise_for_status()
            self._keys = _signing_keys(answer.json())
            self._had = time.monotonic()
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("the realm's keys could not be fetched: %s", type(error).__name__)


def _signing_keys(found: dict[str, list[dict[str, str]]]) -> dict[str, RSAKey]:
    usable = (key for key in found["keys"] if key.get("kty") == "RSA" and key.get("use", "sig") == "sig")
    return {key["kid"]: RSAKey.import_key({name: key[name] for name in ("kty", "n", "e", "kid")}) for key in usable}
