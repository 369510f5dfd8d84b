"""PostsService: message → arguments → operation → message."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import clock, masks
from chassis.call import Call
from chassis.ids import parse_id
from identity import days
from identity.post import operations, queries, superiors, tenure_queries, tenures
from identity.post.model import Post, Tenure
from tongxiao.identity.v1 import post_pb2 as pb

# Field of the message to attribute of the model; what stands here may be changed.
ATTRIBUTES = {
    **{name: name for name in ("code", "name", "name_en", "role_id", "unit_id", "governed_unit_ids")},
    "superior_post_id": "superior_post_id",
    "start_date": "start_on",
    "end_date": "end_on",
}


def get_post(request: pb.GetPostRequest, call: Call) -> pb.Post:
    return _messages([queries.get_post(call.session, UUID(request.id))], call)[0]


def list_posts(request: pb.ListPostsRequest, call: Call) -> pb.ListPostsResponse:
    found, token = queries.list_posts(call, request)
    return pb.ListPostsResponse(posts=_messages(found, call), next_page_token=token)


def create_post(request: pb.CreatePostRequest, call: Call) -> pb.Post:
    given = request.post
    made = operations.create_post(call, post_id=parse_id(given.id), given=_attributes(given, ATTRIBUTES))
    return _messages([made], call)[0]


def update_post(request: pb.UpdatePostRequest, call: Call) -> pb.Post:
    given = request.post
    names = masks.changed_fields(call, given, request.update_mask, allowed=ATTRIBUTES)
    changes = _attributes(given, names)
    return _messages([operations.update_post(call, post_id=UUID(given.id), etag=given.etag, changes=changes)], call)[0]


def delete_post(request: pb.DeletePostRequest, call: Call) -> Empty:
    operations.delete_post(call, post_id=UUID(request.id), etag=request.etag)
    return Empty()


def get_post_superior(request: pb.GetPostSuperiorRequest, call: Call) -> pb.PostSuperior:
    post = queries.get_post(call.session, UUID(request.id))
    found = superiors.superior_of(call.session, post.id)
    return pb.PostSuperior(
        post_id=str(found.post_id or ""),
        employee_ids=[str(employee_id) for employee_id in found.employee_ids],
        skipped_post_ids=[str(skipped) for skipped in found.skipped],
    )


def create_tenure(request: pb.CreateTenureRequest, call: Call) -> pb.Tenure:
    given = request.tenure
    wanted = tenures.Wanted(
        post_id=UUID(given.post_id),
        employee_id=UUID(given.employee_id),
        kind=given.kind,
        start_on=days.checked_day(given.start_date, field="tenure.start_date"),
        end_on=days.checked_day(given.end_date, field="tenure.end_date"),
        main=given.main,
    )
    made = tenures.create_tenure(call, tenure_id=parse_id(given.id), wanted=wanted)
    return _tenure_messages([made], call)[0]


def end_tenure(request: pb.EndTenureRequest, call: Call) -> pb.Tenure:
    ended = tenures.end_tenure(call, tenure_id=UUID(request.id), end_date=request.end_date, etag=request.etag)
    return _tenure_messages([ended], call)[0]


def list_tenures(request: pb.ListTenuresRequest, call: Call) -> pb.ListTenuresResponse:
    found, token = tenure_queries.list_tenures(call, request)
    day = days.checked_day(request.on_date, field="on_date")
    return pb.ListTenuresResponse(tenures=_tenure_messages(found, call, day), next_page_token=token)


def _messages(posts: Iterable[Post], call: Call) -> list[pb.Post]:
    """Posts as messages, vacancies asked for together."""
    found = list(posts)
    vacant = queries.vacant_among(call.session, [post.id for post in found])
    return [_message(post, vacant=post.id in vacant) for post in found]


def _message(post: Post, *, vacant: bool) -> pb.Post:
    return pb.Post(
        id=str(post.id),
        code=post.code,
        name=post.name,
        name_en=post.name_en,
        role_id=str(post.role_id),
        unit_id=str(post.unit_id),
        governed_unit_ids=[str(unit_id) for unit_id in post.governed_unit_ids],
        superior_post_id=str(post.superior_post_id or ""),
        start_date=days.text_of(post.start_on),
        end_date=days.text_of(post.end_on),
        vacant=vacant,
        etag=masks.etag(post.version),
        create_time=clock.stamp(post.created_at),
        update_time=clock.stamp(post.updated_at),
    )


def _tenure_messages(found: Iterable[Tenure], call: Call, day: date | None = None) -> list[pb.Tenure]:
    tenures_ = list(found)
    units = tenure_queries.units_of(call.session, tenures_, day)
    return [
        pb.Tenure(
            id=str(tenure.id),
            post_id=str(tenure.post_id),
            employee_id=str(tenure.employee_id),
            kind=tenure.kind,  # type: ignore[arg-type]
            start_date=days.text_of(tenure.start_on),
            end_date=days.text_of(tenure.end_on),
            main=tenure.main,
            unit_id=str(units.get(tenure.id, "")),
            etag=masks.etag(tenure.version),
            create_time=clock.stamp(tenure.created_at),
        )
        for tenure in tenures_
    ]


def _attributes(given: pb.Post, names: Any) -> dict[str, Any]:
    """The values of fields, in the types the model keeps; refuses DATE_INVALID."""
    found: dict[str, Any] = {ATTRIBUTES[name]: getattr(given, name) for name in names}
    for name in {"role_id", "unit_id", "superior_post_id"} & found.keys():
        found[name] = parse_id(found[name])
    if "governed_unit_ids" in found:
        found["governed_unit_ids"] = sorted(UUID(unit_id) for unit_id in found["governed_unit_ids"])
    for name in {"start_date", "end_date"} & set(names):
        found[ATTRIBUTES[name]] = days.checked_day(getattr(given, name), field=f"post.{name}")
    return found
