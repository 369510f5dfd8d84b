"""What identity publishes of sessions."""

from chassis import clock, outbox
from chassis.envelope import Envelope
from identity.session.model import Revocation
from tongxiao.identity.events.v1 import events_pb2 as pb

REVOKED = "session.revoked.v1"


def session_revoked(revocation: Revocation) -> Envelope:
    data = pb.SessionRevoked(
        person_id=str(revocation.person_id),
        session_id=revocation.session_id,
        revoke_time=clock.stamp(revocation.revoked_at),
        rights_only=revocation.rights_only,
    )
    return outbox.fact("identity", REVOKED, data, subject=revocation.person_id, id=revocation.id)
