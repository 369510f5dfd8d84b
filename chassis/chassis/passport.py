"""Passports: a caller's grants, signed by identity (RS256, RFC 7515) and verified offline by every service."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.message import DecodeError
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from chassis import clock
from chassis.caller import Caller, FieldAccess, Grant
from chassis.errors import refuse
from tongxiao.common.v1 import passport_pb2 as pb

ALGORITHM = "RS256"
LIFETIME = timedelta(minutes=10)
CACHED = 10_000


def sign(caller: Caller, key: RSAKey) -> str:
    """The caller's passport as a compact JWS; grants of the same role state its rights once."""
    message = pb.Passport(
        person_id=caller.person_id.bytes,
        session_id=caller.session_id,
        issued_at=int(caller.issued_at.timestamp()),
        issued_at_ms=caller.issued_at.microsecond // 1000,
        expires_at=int(caller.expires_at.timestamp()),
    )
    roles: dict[tuple[frozenset[int], tuple[tuple[str, FieldAccess], ...]], int] = {}
    for grant in caller.grants:
        rights = (grant.permissions, tuple(sorted(grant.field_rights.items())))
        if rights not in roles:
            roles[rights] = len(roles)
            fields = [pb.PassportFieldRight(field=name, access=access) for name, access in rights[1]]
            message.roles.add(permissions=sorted(grant.permissions), field_rights=fields)
        message.grants.add(
            post_id=grant.post_id.bytes,
            role=roles[rights],
            unit_id=grant.unit_id.bytes,
            governed_unit_ids=[unit.bytes for unit in grant.governs],
            until=int(grant.until.timestamp()) if grant.until else 0,
        )
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jws.serialize_compact(header, message.SerializeToString(), key, algorithms=[ALGORITHM])


class Verifier:
    """Turns passports into callers. A passport seen before costs a look-up, not a signature check."""

    def __init__(self, fetch_keys: Callable[[], KeySet], *, refetch_after: timedelta = timedelta(seconds=10)) -> None:
        self._fetch = fetch_keys
        self._refetch_after = refetch_after
        self._keys: KeySet | None = None
        self._fetched_at = datetime.min.replace(tzinfo=UTC)
        self._seen: dict[str, Caller] = {}

    def caller(self, passport: str) -> Caller:
        """Who a passport is of; refuses PASSPORT_INVALID what is unsigned, altered, foreign or expired."""
        found = self._seen.get(passport) or self._verified(passport)
        if found.expires_at <= clock.now():
            self._seen.pop(passport, None)
            raise refuse("PASSPORT_INVALID")
        return found

    def _verified(self, passport: str) -> Caller:
        caller = self._checked(passport)
        if len(self._seen) >= CACHED:
            self._seen.clear()
        self._seen[passport] = caller
        return caller

    def _checked(self, passport: str) -> Caller:
        for refetch in (False, True):
            try:
                found = jws.deserialize_compact(passport, self._known_keys(refetch=refetch), algorithms=[ALGORITHM])
                return read(pb.Passport.FromString(found.payload))
            except (JoseError, DecodeError, ValueError) as error:
                refused = error
        raise refuse("PASSPORT_INVALID") from refused

    def _known_keys(self, *, refetch: bool) -> KeySet:
        stale = clock.now() - self._fetched_at > self._refetch_after
        if self._keys is None or (refetch and stale):
            self._keys, self._fetched_at = self._fetch(), clock.now()
        return self._keys


def read(message: pb.Passport) -> Caller:
    """The caller that a verified passport names."""
    rights = [(frozenset(role.permissions), _field_rights(role.field_rights)) for role in message.roles]
    issued = datetime.fromtimestamp(message.issued_at, UTC) + timedelta(milliseconds=message.issued_at_ms)
    return Caller(
        person_id=UUID(bytes=message.person_id),
        session_id=message.session_id,
        issued_at=issued,
        expires_at=datetime.fromtimestamp(message.expires_at, UTC),
        grants=tuple(
            Grant(
                post_id=UUID(bytes=grant.post_id),
                unit_id=UUID(bytes=grant.unit_id),
                governs=tuple(UUID(bytes=unit) for unit in grant.governed_unit_ids),
                permissions=rights[grant.role][0],
                field_rights=rights[grant.role][1],
                until=datetime.fromtimestamp(grant.until, UTC) if grant.until else None,
            )
            for grant in message.grants
        ),
    )


def _field_rights(rights: Iterable[pb.PassportFieldRight]) -> dict[str, FieldAccess]:
    return {right.field: FieldAccess(right.access) for right in rights}
