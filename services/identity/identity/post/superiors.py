"""The reporting line: a post's explicit superior, else the head post of its unit, else of the next unit up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from identity.post import holding_queries as holdings
from identity.post import queries
from identity.post.model import Post
from identity.unit import queries as units

Next = Callable[[UUID], UUID | None]


@dataclass
class Superior:
    """The nearest post above that somebody acts for, who they are, and the vacant ones on the way."""

    post_id: UUID | None = None
    employee_ids: list[UUID] = field(default_factory=list)
    skipped: list[UUID] = field(default_factory=list)


def superior_of(session: Session, post_id: UUID) -> Superior:
    """Who is superior to a post today; nobody at the very top."""
    found = Superior()
    for above in line(post_id, lambda below: next_above(session, below)):
        found.employee_ids = holdings.acting_for(session, above)
        if found.employee_ids:
            found.post_id = above
            break
        found.skipped.append(above)
    return found


def runs_in_a_circle(session: Session, post_id: UUID) -> bool:
    """Whether a post would be above itself."""
    return is_circle(post_id, lambda below: next_above(session, below))


def line(post_id: UUID, above: Next) -> Sequence[UUID]:
    """The posts above a post, nearest first, each once."""
    found: list[UUID] = []
    at = above(post_id)
    while at is not None and at != post_id and at not in found:
        found.append(at)
        at = above(at)
    return found


def is_circle(post_id: UUID, above: Next) -> bool:
    """Whether the line from a post leads back to it."""
    upward = line(post_id, above)
    return above(upward[-1] if upward else post_id) == post_id


def next_above(session: Session, post_id: UUID) -> UUID | None:
    """The post right above, vacant or not."""
    post = queries.known_posts(session, [post_id])[post_id]
    return post.superior_post_id or _head_above(session, post)


def _head_above(session: Session, post: Post) -> UUID | None:
    heads = (unit.head_post_id for unit in units.upward(session, post.unit_id))
    return next((head for head in heads if head and head != post.id), None)
