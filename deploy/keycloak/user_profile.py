"""Which attributes a person may have. Keycloak drops the others without a word."""

import json
from collections.abc import Mapping

Document = dict[str, object]

ANYONE, ADMIN = ["admin", "user"], ["admin"]
LENGTH = {"length": {"max": 255}}


def components() -> Document:
    configuration = json.dumps({"attributes": attributes(), "groups": [_group()]}, ensure_ascii=False)
    provider = {
        "providerId": "declarative-user-profile",
        "config": {"kc.user.profile.config": [configuration]},
    }
    return {"org.keycloak.userprofile.UserProfileProvider": [provider]}


def attributes() -> list[Document]:
    """Names and numbers are kept by identity, so people see them here but change them there."""
    return [
        _attribute("username", "${username}", validations={"length": {"min": 3, "max": 255}}),
        _attribute("email", "${email}", validations={"email": {}, **LENGTH}),
        _attribute("firstName", "${firstName}", validations=LENGTH),
        _attribute("lastName", "${lastName}", validations=LENGTH),
        {**_attribute("employee_id", "员工 Employee", validations=LENGTH), "group": "organisation"},
    ]


def _attribute(name: str, title: str, *, validations: Mapping[str, object]) -> Document:
    permissions = {"view": ANYONE, "edit": ADMIN}
    return {"name": name, "displayName": title, "permissions": permissions, "validations": validations}


def _group() -> Document:
    return {"name": "organisation", "displayHeader": "组织 Organisation"}
