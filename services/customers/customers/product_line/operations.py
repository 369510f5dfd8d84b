"""What is done to product lines."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis import clock, creation, ids, masks, outbox
from chassis.call import Call
from customers.product_line import events, queries
from customers.product_line.model import ProductLine


def create_product_line(call: Call, *, line_id: UUID | None, given: Mapping[str, Any]) -> ProductLine:
    """Create a product line; the same again answers it as it is. Refuses ALREADY_EXISTS and CODE_TAKEN."""
    find = queries.find_line
    if existing := creation.repeated(call.session, line_id, given, find=find, field="product_line.id"):
        return existing
    now = clock.now()
    made = ProductLine(id=line_id or ids.new_id(), version=1, created_at=now, updated_at=now, **given)
    call.session.add(made)
    call.session.flush()
    outbox.publish(call.session, events.product_line_changed(made))
    return made


def update_product_line(call: Call, *, line_id: UUID, etag: str, changes: Mapping[str, Any]) -> ProductLine:
    """Change a product line; a retired one takes no new assignments.

    Refuses NOT_FOUND, VERSION_MISMATCH and CODE_TAKEN.
    """
    line = queries.get_line(call.session, line_id)
    masks.check_etag(etag, line.version)
    for name, value in changes.items():
        setattr(line, name, value)
    if call.session.is_modified(line):
        line.updated_at = clock.now()
        call.session.flush()
        outbox.publish(call.session, events.product_line_changed(line))
    return line
