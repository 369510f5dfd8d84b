"""Groups follow units: made, renamed, moved and deleted, by the unit's id that each carries."""

from uuid import UUID

from keycloak.exceptions import KeycloakError
from sqlalchemy.orm import Session

from identity.keycloak import queries, wanted
from identity.keycloak.realm import CONFLICT, Document, Realm
from identity.keycloak.wanted import Group


def tell(session: Session, realm: Realm, unit_id: UUID) -> str | None:
    """Have a unit's group be as it ought to be; its id at Keycloak, nothing where the unit is closed or unknown."""
    _lock(session)
    unit = queries.unit(session, unit_id)
    there = find(session, realm, unit_id)
    if unit is None or unit.is_closed:
        if there:
            delete(session, realm, unit_id, there["id"])
        return None
    group = wanted.group(unit)
    parent = parent_group(session, realm, group)
    group_id = _mended(realm, there, group, parent) if there else _make(realm, group, parent)
    queries.link_group(session, unit_id, group_id)
    return group_id


def differences(session: Session, realm: Realm, unit_id: UUID) -> list[str]:
    """What of a unit's group is not as it ought to be."""
    unit, there = queries.unit(session, unit_id), find(session, realm, unit_id)
    if unit is None or unit.is_closed:
        return ["the unit is closed"] if there else []
    if there is None:
        return ["there is no group"]
    group = wanted.group(unit)
    parent = queries.group_links(session, [group.parent_id]).get(group.parent_id) if group.parent_id else None
    misplaced = ["parent"] if there.get("parentId") != parent else []
    return misplaced + wanted.differences(there, group.document())


def is_known(session: Session, there: Document) -> bool:
    """Whether a group is a unit's. Who is making one is waited for."""
    _lock(session)
    return there["id"] in queries.group_links(session).values()


def delete(session: Session, realm: Realm, unit_id: UUID | None, group_id: str) -> None:
    realm.found(lambda admin: admin.delete_group(group_id))
    if unit_id:
        queries.unlink_group(session, unit_id)


def find(session: Session, realm: Realm, unit_id: UUID) -> Document | None:
    """A unit's group: by the id known of it, else by the unit's id that it carries."""
    known = queries.group_links(session, [unit_id]).get(unit_id)
    if known:
        there = realm.found(lambda admin: admin.get_group(known))
        if there:
            return there
    asked = {"q": f"unit_id:{unit_id}", "populateHierarchy": "false", "briefRepresentation": "false", "max": 2}
    found = realm.ask(lambda admin: admin.get_groups({**asked, "first": 0}))
    if not found:
        return None
    there_now: Document = realm.ask(lambda admin: admin.get_group(found[0]["id"]))
    return there_now


def parent_group(session: Session, realm: Realm, group: Group) -> str | None:
    """The id of the group above, made first where it is not there yet."""
    if group.parent_id is None:
        return None
    known = queries.group_links(session, [group.parent_id]).get(group.parent_id)
    return known or tell(session, realm, group.parent_id)


def _lock(session: Session) -> None:
    """One lock for the whole tree: a child waits for its parent, so locks of single groups would meet crosswise."""
    queries.lock_subject(session, "groups", "all")


def _make(realm: Realm, group: Group, parent: str | None) -> str:
    try:
        return str(realm.ask(lambda admin: admin.create_group(group.document(), parent=parent)))
    except KeycloakError as error:
        if error.response_code != CONFLICT:
            raise
    # A group of this name lies there already, made by hand: it becomes the unit's.
    siblings = _below(realm, parent)
    found = next(sibling for sibling in siblings if sibling["name"] == group.name)
    realm.ask(lambda admin: admin.update_group(found["id"], group.document()))
    return str(found["id"])


def _below(realm: Realm, parent: str | None) -> list[Document]:
    if parent is None:
        return list(realm.pages(lambda admin, query: admin.get_groups(query)))
    return list(realm.pages(lambda admin, query: admin.get_group_children(parent, query)))


def _mended(realm: Realm, there: Document, group: Group, parent: str | None) -> str:
    group_id = str(there["id"])
    if parent and there.get("parentId") != parent:
        realm.move_group(group_id, name=there["name"], parent_id=parent)
    if wanted.differences(there, group.document()):
        realm.ask(lambda admin: admin.update_group(group_id, group.document()))
    return group_id
