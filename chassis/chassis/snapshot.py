"""The owner's side of filling and comparing projections: present states and past facts, streamed in order of keys."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from chassis.envelope import Envelope
from chassis.errors import refuse
from chassis.rpc import Api
from tongxiao.common.v1 import snapshot_pb2 as pb

PAGE = 500


@dataclass(frozen=True)
class Item:
    """One event and the key that the next page continues after."""

    key: str
    envelope: Envelope


@dataclass(frozen=True, kw_only=True)
class Source:
    """How one type of event is told again.

    `page(session, after, limit)` answers the items whose keys follow `after`, in their order; tombstones are states
    too, and a fact comes under the id it had. `versions` selects key and version of every state; facts have none.
    """

    type: str
    page: Callable[[Session, str, int], Sequence[Item]]
    versions: Select[*tuple[Any, ...]] | None = None


class Snapshots:
    """The functions behind SnapshotService for a service's sources; other processes only, so reach does not apply."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = {source.type: source for source in sources}

    def snapshot(self, request: pb.SnapshotRequest, call: Any) -> Iterator[pb.SnapshotItem]:
        """Stream all of a type after a key. Each page is read by itself: events tell what changes meanwhile."""
        source, after = self._source(request.type), request.after
        while items := _page(source, call.session, after):
            for item in items:
                yield pb.SnapshotItem(key=item.key, envelope=item.envelope.encode())
            after = items[-1].key

    def hashes(self, request: pb.HashesRequest, call: Any) -> pb.HashesResponse:
        """One hash per bucket of keys; none for facts."""
        source = self._source(request.type)
        if source.versions is None:
            return pb.HashesResponse()
        with _unreached(call.session) as session:
            return pb.HashesResponse(hashes=bucket_hashes(session, source.versions))

    def _source(self, kind: str) -> Source:
        if kind not in self._sources:
            raise refuse("INVALID_FIELD", field="type")
        return self._sources[kind]


def api(sources: Sequence[Source]) -> Api:
    """What a service adds to its APIs to serve these sources."""
    module: Any = Snapshots(sources)
    return Api(pb.DESCRIPTOR.services_by_name["SnapshotService"], module)


def bucket_hashes(session: Session, versions: Select[*tuple[Any, ...]]) -> dict[str, str]:
    """Bucket to hash; equal on both sides where all keys and versions of the bucket are."""
    key, version = (cast(column, Text) for column in versions.subquery().c)
    bucket, pair = func.left(func.md5(key), 2), key + literal(":") + version
    joined = func.string_agg(pair, aggregate_order_by(literal(","), pair.collate("C")))
    found = session.execute(select(bucket, func.md5(joined)).group_by(bucket))
    return {str(name): str(hashed) for name, hashed in found}


def _page(source: Source, outer: Session, after: str) -> Sequence[Item]:
    with _unreached(outer) as session:
        items = source.page(session, after, PAGE)
    outer.rollback()
    return items


@contextmanager
def _unreached(outer: Session) -> Iterator[Session]:
    """A session beyond reach in the call's own transaction."""
    connection = outer.connection(execution_options={"reach": "snapshot"})
    with Session(connection, autoflush=False, expire_on_commit=False) as session:
        yield session
