"""Comparing Keycloak with identity as a whole: each drift is recorded and repaired. Identity wins."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from keycloak.exceptions import KeycloakError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis import clock
from chassis.database import transaction
from identity.keycloak import accounts, groups, queries, telling, wanted
from identity.keycloak.realm import Document, Realm
from identity.keycloak.wanted import Account
from identity.role.model import REALM_ROLES

log = logging.getLogger(__name__)

# What changed so lately may still be on its way to Keycloak: no drift.
SETTLED = timedelta(seconds=15)


@dataclass
class Found:
    """All that Keycloak holds: accounts and groups by id, and each account's groups and roles."""

    users: dict[str, Document] = field(default_factory=dict)
    groups: dict[str, Document] = field(default_factory=dict)
    placed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    roles: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def reconcile(engine: Engine, realm: Realm, *, settled: timedelta = SETTLED) -> int:
    """Find and repair what differs; how many subjects did. Refuses SIGN_IN_UNAVAILABLE while Keycloak is away."""
    telling.tell_waiting(engine, realm)
    there = fetch(realm)
    with transaction(engine) as session:
        suspects = [*_groups(session, there, settled), *_users(session, there, settled)]
    return sum(_settle(engine, realm, subject, subject_id) for subject, subject_id in suspects) + sum(
        _retire(engine, realm, subject, document) for subject, document in _strangers(engine, there)
    )


def fetch(realm: Realm) -> Found:
    """Everything there is, page by page."""
    found = Found()
    full, brief = {"briefRepresentation": "false"}, {"briefRepresentation": "true"}
    for user in realm.pages(lambda admin, query: admin.get_users({**query, **full})):
        found.users[user["id"]] = user
    for group in _all_groups(realm):
        group_id = group["id"]
        found.groups[group_id] = group
        members = realm.pages(
            lambda admin, query, group_id=group_id: admin.get_group_members(group_id, {**query, **brief})  # type: ignore[misc]
        )
        for member in members:
            found.placed[member["id"]].add(group_id)
    for role in REALM_ROLES:
        # Of these the library goes through the pages itself.
        holders = realm.ask(lambda admin, role=role: admin.get_realm_role_members(role, {**brief}))  # type: ignore[misc]
        for holder in holders:
            found.roles[holder["id"]].add(role)
    return found


def _all_groups(realm: Realm) -> Iterator[Document]:
    """Every group, each before those below it."""
    full = {"briefRepresentation": "false"}
    todo = list(realm.pages(lambda admin, query: admin.get_groups({**query, **full})))
    while todo:
        group = todo.pop(0)
        yield group
        if group.get("subGroupCount"):
            above = group["id"]
            todo += realm.pages(
                lambda admin, query, above=above: admin.get_group_children(above, {**query, **full})  # type: ignore[misc]
            )


def _groups(session: Session, there: Found, settled: timedelta) -> Iterator[tuple[str, UUID]]:
    """The units whose groups differ."""
    links = queries.group_links(session)
    for unit in queries.all_units(session, before=clock.now() - settled):
        group = there.groups.get(links.get(unit.id, ""))
        if unit.is_closed:
            if group:
                yield telling.GROUP, unit.id
            continue
        wanted_ = wanted.group(unit)
        above = links.get(unit.parent_id) if unit.parent_id else None
        if group is None or group.get("parentId") != above or wanted.differences(group, wanted_.document()):
            yield telling.GROUP, unit.id


def _users(session: Session, there: Found, settled: timedelta) -> Iterator[tuple[str, UUID]]:
    """The employees whose accounts differ."""
    links = queries.group_links(session)
    employees = queries.all_employees(session, before=clock.now() - settled)
    for account in wanted.accounts(session, employees).values():
        if _differs(account, there, links):
            yield telling.USER, account.employee_id


def _differs(account: Account, there: Found, links: dict[UUID, str]) -> bool:
    user = there.users.get(account.keycloak_id or "")
    if user is None:
        return account.enabled
    placed = there.placed[user["id"]] == {links.get(unit_id) for unit_id in account.unit_ids}
    entitled = there.roles[user["id"]] == account.roles
    return not (placed and entitled) or bool(wanted.differences(user, account.document()))


def _strangers(engine: Engine, there: Found) -> list[tuple[str, Document]]:
    """Enabled accounts and groups that are no employee's and no unit's."""
    with transaction(engine) as session:
        ours, units = queries.account_links(session), set(queries.group_links(session).values())
    users = [(telling.USER, user) for id_, user in there.users.items() if id_ not in ours and user.get("enabled")]
    return users + [(telling.GROUP, group) for id_, group in there.groups.items() if id_ not in units]


def _settle(engine: Engine, realm: Realm, subject: str, subject_id: UUID) -> bool:
    """Look again at what seemed to differ; if it does, record it, repair it, and note that; whether it did."""
    compare = {telling.USER: accounts.differences, telling.GROUP: groups.differences}[subject]
    with transaction(engine) as session:
        queries.lock_subject(session, subject, subject_id)
        found = compare(session, realm, subject_id)
        for difference in found:
            queries.record_drift(session, subject, str(subject_id), difference)
    if found:
        _repair(engine, realm, subject, subject_id)
    return bool(found)


def _repair(engine: Engine, realm: Realm, subject: str, subject_id: UUID) -> None:
    log.warning("%s %s differed at Keycloak", subject, subject_id)
    try:
        with transaction(engine) as session:
            telling.tell(session, realm, subject, [subject_id])
            queries.repaired(session, subject, str(subject_id))
    except KeycloakError as error:
        log.error("%s %s cannot be repaired: %s", subject, subject_id, error.response_code)


def _retire(engine: Engine, realm: Realm, subject: str, document: Document) -> bool:
    """Disable an account and delete a group that identity knows nothing of; what is just being made, is waited for."""
    keycloak_id = str(document["id"])
    with transaction(engine) as session:
        if subject == telling.USER:
            if accounts.is_known(session, document):
                return False
            queries.record_drift(session, subject, keycloak_id, "identity knows no such employee")
            realm.found(lambda admin: admin.update_user(keycloak_id, {"enabled": False}))
            realm.end_sessions(keycloak_id)
        else:
            if groups.is_known(session, document):
                return False
            queries.record_drift(session, subject, keycloak_id, "identity knows no such unit")
            groups.delete(session, realm, None, keycloak_id)
        queries.repaired(session, subject, keycloak_id)
    return True
