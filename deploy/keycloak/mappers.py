"""What our clients' access tokens carry besides the basics: stable ids and roles, no names and no paths."""

Document = dict[str, object]

IN_TOKEN = {"access.token.claim": "true", "introspection.token.claim": "true", "id.token.claim": "false"}


def audience(name: str) -> Document:
    return _mapper(f"audience-{name}", "oidc-audience-mapper", config={"included.custom.audience": name})


def realm_roles(claim: str) -> Document:
    config = {"claim.name": claim, "jsonType.label": "String", "multivalued": "true"}
    return _mapper(claim, "oidc-usermodel-realm-role-mapper", config=config)


def attribute(name: str) -> Document:
    config = {"user.attribute": name, "claim.name": name, "jsonType.label": "String", "userinfo.token.claim": "true"}
    return _mapper(name, "oidc-usermodel-attribute-mapper", config=config)


def _mapper(name: str, kind: str, *, config: dict[str, str]) -> Document:
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": {**IN_TOKEN, **config}}
