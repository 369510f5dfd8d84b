"""ContactRecordsService: message → arguments → operation → message."""

from collections.abc import Collection
from datetime import UTC
from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import clock, masks
from chassis.call import Call
from chassis.ids import parse_id
from chassis.rpc import one_statement
from customers.contact_record import operations, queries
from customers.contact_record.model import ContactRecord
from tongxiao.customers.v1 import contact_record_pb2 as pb

# Field of the message to attribute of the model.
ATTRIBUTES = {
    **{name: name for name in ("contact_ids", "line_id", "channel", "duration_minutes", "outcome", "two_way")},
    **{name: name for name in ("summary", "next_step", "place", "photo_keys")},
    "contact_time": "contacted_at",
    "next_contact_date": "next_contact_on",
}


@one_statement
def get_contact_record(request: pb.GetContactRecordRequest, call: Call) -> pb.ContactRecord:
    return to_message(queries.get_record(call.session, UUID(request.id)))


@one_statement
def list_contact_records(request: pb.ListContactRecordsRequest, call: Call) -> pb.ListContactRecordsResponse:
    found, token = queries.list_records(call, request)
    records = [to_message(record) for record in found]
    return pb.ListContactRecordsResponse(contact_records=records, next_page_token=token)


def create_contact_record(request: pb.CreateContactRecordRequest, call: Call) -> pb.ContactRecord:
    given = request.contact_record
    values = {"customer_id": UUID(given.customer_id), **attributes(given, ATTRIBUTES)}
    return to_message(operations.create_contact_record(call, record_id=parse_id(given.id), given=values))


def update_contact_record(request: pb.UpdateContactRecordRequest, call: Call) -> pb.ContactRecord:
    given = request.contact_record
    names = masks.changed_fields(call, given, request.update_mask, allowed=ATTRIBUTES)
    record = operations.update_contact_record(
        call, record_id=UUID(given.id), etag=given.etag, changes=attributes(given, names)
    )
    return to_message(record)


def delete_contact_record(request: pb.DeleteContactRecordRequest, call: Call) -> Empty:
    operations.delete_contact_record(call, record_id=UUID(request.id), etag=request.etag)
    return Empty()


def restore_contact_record(request: pb.RestoreContactRecordRequest, call: Call) -> pb.ContactRecord:
    return to_message(operations.restore_contact_record(call, record_id=UUID(request.id)))


def attributes(given: pb.ContactRecord, names: Collection[str]) -> dict[str, Any]:
    """The values of fields, in the types the model keeps; a contact without a time took place now."""
    found: dict[str, Any] = {ATTRIBUTES[name]: getattr(given, name) for name in names}
    if "contacted_at" in found:
        stated = given.HasField("contact_time")
        found["contacted_at"] = given.contact_time.ToDatetime(UTC) if stated else clock.now()
    if "contact_ids" in found:
        found["contact_ids"] = [UUID(contact_id) for contact_id in given.contact_ids]
    if "line_id" in found:
        found["line_id"] = parse_id(given.line_id)
    if "photo_keys" in found:
        found["photo_keys"] = list(given.photo_keys)
    if "place" in found:
        found["place"] = _place(given) if given.HasField("place") else None
    return found


def _place(given: pb.ContactRecord) -> dict[str, Any]:
    place = given.place
    return {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "accuracy_metres": place.accuracy_metres,
    }


def to_message(record: ContactRecord) -> pb.ContactRecord:
    return pb.ContactRecord(
        id=str(record.id),
        customer_id=str(record.customer_id),
        contact_ids=[str(contact_id) for contact_id in record.contact_ids],
        line_id=str(record.line_id or ""),
        channel=record.channel,  # type: ignore[arg-type]
        contact_time=clock.stamp(record.contacted_at),
        duration_minutes=record.duration_minutes,
        outcome=record.outcome,  # type: ignore[arg-type]
        two_way=record.two_way,
        summary=record.summary,
        next_step=record.next_step,
        next_contact_date=record.next_contact_on.isoformat() if record.next_contact_on else "",
        place=pb.Place(**record.place) if record.place else None,
        photo_keys=record.photo_keys,
        author_id=str(record.author_id),
        touch=record.touch,
        etag=masks.etag(record.version),
        create_time=clock.stamp(record.created_at),
        update_time=clock.stamp(record.updated_at),
    )
