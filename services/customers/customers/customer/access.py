"""What somebody's rights over a customer hang on: the units it is owned in, and a share that counts."""

from datetime import datetime
from uuid import UUID

from chassis import clock
from chassis.call import Call
from chassis.rpc import permission_name
from customers.customer import queries
from customers.customer.model import Share
from tongxiao.common.v1 import options_pb2
from tongxiao.common.v1.access_pb2 import RecordPlace
from tongxiao.customers.v1 import contact_pb2, contact_record_pb2, customer_pb2

_FILES = (customer_pb2.DESCRIPTOR, contact_pb2.DESCRIPTOR, contact_record_pb2.DESCRIPTOR)


def places(call: Call, *, customer_id: UUID, person_id: UUID, permission: str) -> list[RecordPlace]:
    """Where the customer lies, and the share with the person, whether or not it reaches so far. Refuses NOT_FOUND."""
    customer = queries.get_customer(call.session, customer_id)
    share = queries.find_share(call.session, customer_id, person_id)
    found = [
        RecordPlace(unit_id=str(assignment.unit_id), owned=assignment.owner_id == person_id)
        for assignment in customer.assignments
    ]
    if share and not _is_over(queries.share_expiry(call.session, share.id)):
        end, counts = share.end_on.isoformat() if share.end_on else "", _counts(share, permission)
        found.append(RecordPlace(shared=counts, shared_for_less=not counts, end_date=end, writes=share.writes))
    return found


def _is_over(expires_at: datetime | None) -> bool:
    return expires_at is not None and expires_at <= clock.now()


def _counts(share: Share, permission: str) -> bool:
    """A share reads; one for writing changes as well; none manages."""
    touched = {access for name, access in _accesses() if name == permission}
    return options_pb2.ACCESS_READ in touched or (share.writes and options_pb2.ACCESS_WRITE in touched)


def _accesses() -> set[tuple[str, int]]:
    """What the RPCs that need a permission do to what they reach."""
    methods = (m for file in _FILES for service in file.services_by_name.values() for m in service.methods)
    declared = (method.GetOptions().Extensions[options_pb2.rpc] for method in methods)
    return {(permission_name(told.permission), told.access) for told in declared if told.permission}
