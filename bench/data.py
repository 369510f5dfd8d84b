"""Made-up companies, each of one shape: its units and people, and who holds which customers."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[int, ...]
LINE = uuid.UUID(int=1)

# What a customer's name is made of: a city, a word of two characters, a trade, and the same end for all.
CITIES = "北京上海广州深圳成都杭州武汉西安苏州天津南京长沙郑州东莞青岛沈阳宁波昆明合肥福州"
FIRST, SECOND = "恒泰中华金鼎瑞丰宏达永盛天地明德嘉信远东", "和兴业源通利安康隆昌辉成海洋星光润泽"
TRADES = "科技贸易机械电子化工建材医药食品服装能源物流汽车通信软件农业"
END = "有限公司"
# What the names of one group's companies hold instead of such a word, and how many those are at every size.
GROUP, COMPANIES = "鲲鹏", 40
# Fragments of names: borne by those, by one customer in 1,900, by one in 15, and by every one.
FRAGMENTS = {
    "one company": GROUP,
    "rare": CITIES[:2] + FIRST[0] + SECOND[0],
    "medium": TRADES[:2],
    "common": END[2:],
}


@dataclass(frozen=True)
class Shape:
    """How a company is divided, and what there is for every salesperson and every customer."""

    regions: int
    branches: int
    teams: int
    held: int
    contacts: int
    records: int

    @property
    def paths(self) -> Iterator[Path]:
        """Every unit, by its position below the company, parents first."""
        yield ()
        yield from ((r,) for r in range(self.regions))
        yield from ((r, b) for r in range(self.regions) for b in range(self.branches))
        yield from self.team_paths

    @property
    def team_paths(self) -> list[Path]:
        return [(r, b, t) for r in range(self.regions) for b in range(self.branches) for t in range(self.teams)]

    def sellers(self, customers: int) -> Iterator[tuple[int, uuid.UUID, uuid.UUID]]:
        """Number, id and team of every salesperson there is for so many customers."""
        teams = self.team_paths
        for number in range(customers // self.held):
            yield number, seller(number), unit(teams[number % len(teams)])


# 5,000 units, whatever the number of customers.
WIDE = Shape(regions=10, branches=10, teams=49, held=200, contacts=1, records=1)
# What the peers were measured with: 200,000 customers of 500 salespeople in 25 teams.
PEERS = Shape(regions=1, branches=5, teams=5, held=400, contacts=2, records=5)


@dataclass(frozen=True)
class Person:
    """Who asks: a name for the table, an id, the unit they belong to and the one they govern, if any."""

    name: str
    id: uuid.UUID
    unit: uuid.UUID
    governs: uuid.UUID | None = None


def unit(path: Path) -> uuid.UUID:
    """The id of the unit at a path of positions below the company."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "unit/" + "/".join(map(str, path)))


def seller(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"seller/{number}")


SALESPERSON = Person("salesperson", seller(0), unit((0, 0, 0)))
MANAGER = Person("branch manager", uuid.UUID(int=11), unit((0, 0)), unit((0, 0)))
DIRECTOR = Person("region director", uuid.UUID(int=12), unit((0,)), unit((0,)))
HEAD = Person("HQ director", uuid.UUID(int=13), unit(()), unit(()))
PEOPLE = (SALESPERSON, MANAGER, DIRECTOR, HEAD)
