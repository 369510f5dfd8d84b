"""What customers publishes of contacts: ids only, never a personal value."""

from chassis import outbox
from chassis.envelope import Envelope
from customers.contact.model import Contact
from tongxiao.customers.events.v1 import events_pb2 as pb

CHANGED = "contact.changed.v1"


def contact_changed(contact: Contact) -> Envelope:
    return outbox.state("customers", CHANGED, public_state(contact), subject=contact.id, version=contact.version)


def contact_gone(contact: Contact) -> Envelope:
    return outbox.state("customers", CHANGED, None, subject=contact.id, version=contact.version)


def public_state(contact: Contact) -> pb.ContactChanged:
    return pb.ContactChanged(id=str(contact.id), customer_ids=[str(place.customer_id) for place in contact.places])
