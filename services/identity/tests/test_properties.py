"""Properties over generated organisations, against plain oracles: the dated tree, superiors, grants of a day."""

from datetime import date, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from identity import days
from identity.post import superiors
from identity.unit import moves
from identity.unit.model import UnitParent

DAY = date(2026, 1, 1)
UNITS = 7


def day(offset: int) -> date:
    return DAY + timedelta(days=offset)


def timeline() -> st.SearchStrategy[list[tuple[int, int, int]]]:
    """Moves as (unit, new parent, day), days not decreasing in no order."""
    place = st.integers(0, UNITS - 1)
    return st.lists(st.tuples(place, place, st.integers(1, 6)), max_size=12)


class Plan:
    """The oracle: every day's tree, as plain dictionaries of parents."""

    def __init__(self) -> None:
        self.trees: list[dict[int, int | None]] = [
            {unit: None if unit == 0 else 0 for unit in range(UNITS)} for _ in range(10)
        ]

    def moved(self, unit: int, parent: int, on: int) -> "list[dict[int, int | None]]":
        return [{**tree, unit: parent} if at >= on else tree for at, tree in enumerate(self.trees)]

    @staticmethod
    def sound(trees: "list[dict[int, int | None]]") -> bool:
        """Whether on every day every unit reaches the company."""
        for tree in trees:
            for unit in tree:
                at: int | None = unit
                for _ in range(UNITS + 1):
                    at = tree[at] if at is not None else None
                if at is not None:
                    return False
        return True


def replanned(stretches: list[UnitParent], unit: UUID, parent: UUID, on: date) -> list[UnitParent]:
    """What moving does to the rows, without a database."""
    kept = []
    for stretch in stretches:
        if stretch.unit_id == unit and stretch.start_on >= on:
            continue
        if stretch.unit_id == unit and (stretch.end_on is None or stretch.end_on >= on):
            stretch = UnitParent(
                unit_id=unit, parent_id=stretch.parent_id, start_on=stretch.start_on, end_on=on - timedelta(days=1)
            )
        kept.append(stretch)
    return [*kept, UnitParent(unit_id=unit, parent_id=parent, start_on=on, end_on=None)]


@given(timeline())
def test_a_move_is_refused_exactly_where_some_days_tree_would_break(planned: list[tuple[int, int, int]]) -> None:
    ids = [uuid4() for _ in range(UNITS)]
    stretches = [
        UnitParent(unit_id=ids[unit], parent_id=None if unit == 0 else ids[0], start_on=day(-9), end_on=None)
        for unit in range(UNITS)
    ]
    plan = Plan()
    for unit, parent, on in planned:
        if unit == 0:
            continue
        wanted = plan.moved(unit, parent, on)
        refused = moves.closes_circle(stretches, ids[unit], ids[parent], day(on))
        assert refused is not Plan.sound(wanted)
        if not refused:
            plan.trees = wanted
            stretches = replanned(stretches, ids[unit], ids[parent], day(on))
    for at, tree in enumerate(plan.trees):
        found = {s.unit_id: s.parent_id for s in stretches if days.is_valid(s, day(at))}
        assert found == {ids[unit]: None if parent is None else ids[parent] for unit, parent in tree.items()}


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 9), max_size=10), st.integers(0, 9))
def test_the_line_of_superiors_ends_and_names_each_post_once(above: dict[int, int], start: int) -> None:
    ids = [UUID(int=number) for number in range(10)]

    def next_above(post_id: UUID) -> UUID | None:
        found = above.get(post_id.int)
        return None if found is None else ids[found]

    line = [post_id.int for post_id in superiors.line(ids[start], next_above)]
    walked, at = [], above.get(start)
    while at is not None and at != start and at not in walked:
        walked.append(at)
        at = above.get(at)
    assert line == walked
    circle = bool(walked) and above.get(walked[-1]) == start
    assert superiors.is_circle(ids[start], next_above) is (circle or above.get(start) == start)


@given(
    st.tuples(st.none() | st.integers(0, 20), st.none() | st.integers(0, 20)),
    st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20)),
)
def test_a_post_covers_a_span_exactly_if_it_is_valid_on_each_day(
    post: tuple[int | None, int | None], span: tuple[int, int | None]
) -> None:
    row = UnitParent(
        start_on=None if post[0] is None else day(post[0]), end_on=None if post[1] is None else day(post[1])
    )
    start, end = day(span[0]), None if span[1] is None else day(span[1])
    if end and end < start:
        return
    last = end or day(60)
    every = all(days.is_valid(row, start + timedelta(days=n)) for n in range((last - start).days + 1))
    assert days.covers(row, start, end) is every
