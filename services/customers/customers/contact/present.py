"""Whether a contact is at a customer already: somebody there has the mobile. Names alone tell nobody apart."""

from collections.abc import Collection
from uuid import UUID

from chassis import turns
from chassis.call import Call
from chassis.caller import FieldAccess
from chassis.errors import DomainError
from customers.contact import queries
from customers.refusals import refuse


def found(call: Call, customer_ids: Collection[UUID], mobiles: Collection[str]) -> dict[tuple[UUID, str], UUID]:
    """The contacts at these customers that have one of these mobiles, by both; who adds others at once waits."""
    sought = {mobile for mobile in mobiles if mobile}
    if not (sought and customer_ids):
        return {}
    turns.wait_for_all(call.session, "contact", customer_ids)
    return queries.by_mobile_at(call.session, customer_ids, sought)


def refusal(call: Call, contact_id: UUID) -> DomainError:
    """CONTACT_EXISTS, with the contact's id for who reads it and is shown at least a part of the mobile."""
    shown = call.read_access("contact.mobile") > FieldAccess.HIDDEN
    named = {"contact_id": contact_id} if shown and queries.find_contact(call.session, contact_id) else {}
    return refuse("CONTACT_EXISTS", field="contact.mobile", **named)
