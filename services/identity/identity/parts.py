"""What this process was made with: Keycloak's realm, the verifier of tokens, the keys of passports."""

from dataclasses import dataclass

from identity.keycloak.realm import Realm
from identity.session.signing import SigningKeys
from identity.session.tokens import TokenVerifier


@dataclass(frozen=True, kw_only=True)
class Parts:
    """One set for a process; `identity.apis` makes it of the settings."""

    realm: Realm
    verifier: TokenVerifier
    keys: SigningKeys


_made: list[Parts] = []


def use(parts: Parts) -> None:
    """Have this process use these from now on."""
    _made[:] = [parts]


def current() -> Parts:
    """What `use` was given."""
    return _made[0]
