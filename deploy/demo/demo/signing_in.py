"""One sign-in per role: a password at Keycloak as soon as it knows the person, and a line in the sign-ins file."""

import os
import time
from pathlib import Path
from secrets import token_urlsafe
from uuid import UUID

from keycloak import KeycloakAdmin
from sqlalchemy import Engine

from demo.company import Company
from identity import bootstrap

PATIENCE_S = 180
TITLES = {
    "director": "总监 director",
    "manager": "经理 manager",
    "supervisor": "主管 supervisor",
    "salesperson": "业务员 salesperson",
    "admin": "管理员 admin",
    "finance": "财务 finance",
    "knowledge_editor": "知识编辑 knowledge editor",
}


def prepare(engine: Engine, company: Company, target: Path) -> None:
    """Give the sign-ins one password of this installation's own and write them down, for its owner's eyes."""
    password = token_urlsafe(9)
    wanted = {person.id: person.username for person in company.people if person.username in company.sign_ins.values()}
    known = _wait_for(engine, set(wanted))
    admin = _admin()
    for person_id in wanted:
        admin.set_user_password(known[person_id], password, temporary=False)
    lines = [f"    {title:<28} {company.sign_ins[role]:<20} {password}" for role, title in TITLES.items()]
    target.touch(mode=0o600)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _wait_for(engine: Engine, wanted: set[UUID]) -> dict[UUID, str]:
    """The ids at Keycloak of those wanted; TimeoutError if it is not told of them in time."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        known = {person: told for person, told in bootstrap.keycloak_ids(engine).items() if told}
        if wanted <= known.keys():
            return known
        time.sleep(0.5)
    raise TimeoutError(
        f"Keycloak has not been told of the demo's people within {PATIENCE_S} s; see identity-work's log"
    )


def _admin() -> KeycloakAdmin:
    return KeycloakAdmin(
        server_url=os.environ["TONGXIAO_KEYCLOAK_URL"],
        username=os.environ["TONGXIAO_KEYCLOAK_ADMIN"],
        password=os.environ["TONGXIAO_KEYCLOAK_ADMIN_PASSWORD"],
        realm_name=os.environ["TONGXIAO_KEYCLOAK_REALM"],
        user_realm_name="master",
    )
