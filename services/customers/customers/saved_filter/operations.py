"""What is done to saved filters."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis import clock, ids, masks
from chassis.call import Call
from customers.refusals import refuse
from customers.saved_filter import queries
from customers.saved_filter.model import SavedFilter

MOST = 100


def create_filter(call: Call, *, filter_id: UUID | None, given: Mapping[str, Any]) -> SavedFilter:
    """Save a filter; the same again answers it as it is.

    Refuses ID_TAKEN, ALREADY_EXISTS, TOO_MANY_FILTERS, FILTER_NAME_TAKEN and UNIT_BEYOND_REACH.
    """
    if filter_id and queries.is_taken(call, filter_id):
        return _repeated(call, filter_id, given)
    if queries.number_of(call) >= MOST:
        raise refuse("TOO_MANY_FILTERS")
    _check_unit(call, given["unit_id"])
    now = clock.now()
    made = SavedFilter(
        id=filter_id or ids.new_id(),
        person_id=call.caller.person_id,
        version=1,
        created_at=now,
        updated_at=now,
        **given,
    )
    call.session.add(made)
    call.session.flush()
    return made


def update_filter(call: Call, *, filter_id: UUID, etag: str, changes: Mapping[str, Any]) -> SavedFilter:
    """Change one's own. Refuses NOT_FOUND, NOT_OWN_FILTER, VERSION_MISMATCH, FILTER_NAME_TAKEN, UNIT_BEYOND_REACH."""
    found = _own(call, filter_id, etag)
    _check_unit(call, changes.get("unit_id"))
    for name, value in changes.items():
        setattr(found, name, value)
    if call.session.is_modified(found):
        found.updated_at = clock.now()
        call.session.flush()
    return found


def delete_filter(call: Call, *, filter_id: UUID, etag: str) -> None:
    """Delete one's own. Refuses NOT_FOUND, NOT_OWN_FILTER and VERSION_MISMATCH."""
    call.session.delete(_own(call, filter_id, etag))


def _repeated(call: Call, filter_id: UUID, given: Mapping[str, Any]) -> SavedFilter:
    found = queries.find_filter(call, filter_id)
    if found is None or found.person_id != call.caller.person_id:
        raise refuse("ID_TAKEN", field="saved_filter.id")
    if any(getattr(found, name) != value for name, value in given.items()):
        raise refuse("ALREADY_EXISTS", field="saved_filter.id")
    return found


def _own(call: Call, filter_id: UUID, etag: str) -> SavedFilter:
    found = queries.get_filter(call, filter_id)
    if found.person_id != call.caller.person_id:
        raise refuse("NOT_OWN_FILTER")
    masks.check_etag(etag, found.version)
    return found


def _check_unit(call: Call, unit_id: UUID | None) -> None:
    """One shares with units that one governs."""
    if unit_id and not call.trees.current().under(unit_id, call.change_scope.governed):
        raise refuse("UNIT_BEYOND_REACH", field="saved_filter.unit_id")
