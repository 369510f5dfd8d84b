"""The gateway, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from chassis import files, revocations
from chassis.revocations import Revocation, Revocations
from gateway import aggregates, client, endpoints, uploads
from gateway.catalogue import SERVICES
from gateway.client import Client
from gateway.door import Door
from gateway.endpoints import Pace, Target
from gateway.keys import Keys
from gateway.limits import Limits
from gateway.pages import pages
from gateway.sessions import Sessions
from gateway.settings import GatewaySettings
from gateway.signin import Realm
from gateway.templates import Tree
from gateway.tokens import Verifier
from gateway.upstream import Upstream


@dataclass(frozen=True)
class Parts:
    """What lives as long as the process does."""

    http: httpx.AsyncClient
    upstream: Upstream
    revocations: Revocations


@asynccontextmanager
async def opened(settings: GatewaySettings) -> AsyncIterator[Door]:
    """The gateway's app, with its connections open."""
    files.use(settings.files_url)
    recent = revocations.asking(settings.identity_target, settings.service_token.get_secret_value())
    feed = Revocations(
        settings.broker_url.get_secret_value(),
        recent,
        poll_s=settings.revocation_poll_s,
        grace_s=settings.revocation_grace_s,
    )
    targets = {service: settings.target(service) for service in SERVICES}
    upstream = Upstream(targets, channels=settings.channels)
    async with httpx.AsyncClient() as http:
        door = assembled(settings, Parts(http, upstream, feed))
        feed.start()
        try:
            yield door
        finally:
            await asyncio.to_thread(feed.stop)
            await upstream.close()


def assembled(settings: GatewaySettings, parts: Parts) -> Door:
    """The app over its parts. Call it on the event loop that will serve."""
    keys = Keys(parts.http, f"{settings.realm_url}/protocol/openid-connect/certs")
    verifier = Verifier(keys, issuer=settings.issuer, audience=settings.audience)
    sessions = Sessions(verifier, partial(client.exchange, parts.upstream), parts.revocations)
    _drop_revoked(sessions, parts.revocations)
    realm = Realm(parts.http, public=settings.issuer, internal=settings.realm_url)
    return Door(
        _tree(settings, Client(parts.upstream, sessions)),
        pages(realm, client_id=settings.client_id, ready=lambda: {"revocations": parts.revocations.known()}),
        sessions=sessions,
        limits=Limits(settings.requests_per_minute),
        concurrency=settings.concurrency,
        origins=frozenset(origin.encode() for origin in settings.cors_origins),
    )


def _tree(settings: GatewaySettings, asker: Client) -> Tree[Target]:
    tree: Tree[Target] = Tree()
    pace = Pace(settings.read_seconds, settings.write_seconds)
    endpoints.add(tree, asker, pace)
    aggregates.add(tree, asker, pace)
    uploads.add(tree)
    return tree


def _drop_revoked(sessions: Sessions, feed: Revocations) -> None:
    loop = asyncio.get_running_loop()

    def tell(revocation: Revocation) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(sessions.drop, revocation)

    feed.listen(tell)
