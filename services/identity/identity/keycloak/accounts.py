"""Accounts follow employees: made, changed, disabled; their groups follow posts' units, their roles posts' levels."""

from uuid import UUID

from sqlalchemy.orm import Session

from chassis import ids
from identity.keycloak import groups, queries, wanted
from identity.keycloak.realm import Document, Realm
from identity.keycloak.wanted import Account
from identity.role.model import REALM_ROLES


def tell(session: Session, realm: Realm, employee_id: UUID) -> None:
    """Have an employee's account be as it ought to be; whoever is left without rights is signed out."""
    queries.lock_subject(session, "user", employee_id)
    account = wanted.account(session, employee_id)
    if account is None:
        return
    there = find(realm, account)
    if there is None and not account.enabled:
        return
    keycloak_id = _mended(realm, account, there) if there else _make(realm, account)
    if keycloak_id != account.keycloak_id:
        queries.link_account(session, employee_id, keycloak_id)
    _place(session, realm, account, keycloak_id)
    _entitle(realm, account, keycloak_id)
    if not account.roles:
        realm.end_sessions(keycloak_id)


def differences(session: Session, realm: Realm, employee_id: UUID) -> list[str]:
    """What of an employee's account is not as it ought to be."""
    account = wanted.account(session, employee_id)
    there = find(realm, account) if account else None
    if account is None or there is None:
        return ["there is no account"] if account and account.enabled else []
    found = wanted.differences(there, account.document())
    links = queries.group_links(session, account.unit_ids)
    if _groups_of(realm, there["id"]) != set(links.values()) or len(links) < len(account.unit_ids):
        found.append("groups")
    if _roles_of(realm, there["id"]) != account.roles:
        found.append("roles")
    return found


def find(realm: Realm, account: Account) -> Document | None:
    """An employee's account: by the id known of it, else by the employee's id it carries, else by its name."""
    known = account.keycloak_id
    if known:
        there = realm.found(lambda admin: admin.get_user(known))
        if there:
            return there
    for query in ({"q": f"employee_id:{account.employee_id}"}, {"username": account.username, "exact": "true"}):
        asked = {**query, "first": 0, "max": 2, "briefRepresentation": "false"}
        found = realm.ask(lambda admin, asked=asked: admin.get_users(asked))  # type: ignore[misc]
        if found and _employee_of(found[0]) in (None, str(account.employee_id)):
            return dict(found[0])
    return None


def is_known(session: Session, there: Document) -> bool:
    """Whether an account is an employee's, or of one at work who has none yet. Who is making one is waited for."""
    if employee_id := ids.read_id(_employee_of(there) or ""):
        queries.lock_subject(session, "user", employee_id)
        employee = queries.employee(session, employee_id)
        if employee and employee.active and employee.keycloak_id is None:
            return True
    return there["id"] in queries.account_links(session)


def _employee_of(there: Document) -> str | None:
    values = (there.get("attributes") or {}).get("employee_id")
    return str(values[0]) if values else None


def _make(realm: Realm, account: Account) -> str:
    made: str = realm.ask(lambda admin: admin.create_user(account.document(), exist_ok=False))
    return made


def _mended(realm: Realm, account: Account, there: Document) -> str:
    keycloak_id = str(there["id"])
    if wanted.differences(there, account.document()):
        realm.ask(lambda admin: admin.update_user(keycloak_id, account.document()))
    return keycloak_id


def _place(session: Session, realm: Realm, account: Account, keycloak_id: str) -> None:
    """Have the account be in the groups of the units that the person's posts belong to, and in no other."""
    links = queries.group_links(session, account.unit_ids)
    places = {links.get(unit_id) or groups.tell(session, realm, unit_id) for unit_id in account.unit_ids} - {None}
    there = _groups_of(realm, keycloak_id)
    for group_id in places - there:
        realm.ask(lambda admin, group_id=group_id: admin.group_user_add(keycloak_id, group_id))  # type: ignore[misc]
    for group_id in there - places:
        realm.ask(lambda admin, group_id=group_id: admin.group_user_remove(keycloak_id, group_id))  # type: ignore[misc]


def _entitle(realm: Realm, account: Account, keycloak_id: str) -> None:
    """Have the account hold the realm roles of its levels, and none of the others that levels carry."""
    there = _roles_of(realm, keycloak_id)
    missing, extra = account.roles - there, there - account.roles
    if not missing and not extra:
        return
    known = {role["name"]: role for role in realm.ask(lambda admin: admin.get_realm_roles())}
    if missing:
        realm.ask(lambda admin: admin.assign_realm_roles(keycloak_id, [known[name] for name in sorted(missing)]))
    if extra:
        realm.ask(lambda admin: admin.delete_realm_roles_of_user(keycloak_id, [known[name] for name in sorted(extra)]))


def _groups_of(realm: Realm, keycloak_id: str) -> set[str]:
    found = realm.ask(lambda admin: admin.get_user_groups(keycloak_id, brief_representation=True))
    return {group["id"] for group in found}


def _roles_of(realm: Realm, keycloak_id: str) -> set[str]:
    found = realm.ask(lambda admin: admin.get_realm_roles_of_user(keycloak_id))
    return {role["name"] for role in found} & set(REALM_ROLES)
