"""The key identity signs passports with: made once per instance, readable by its process alone."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local import accounts
from deploy.local.credentials import write_private
from deploy.local.instance import Instance

BITS = 2048


def ensure(instance: Instance) -> Path:
    """The key's file. Its name is the key's id; a folder may hold several while one replaces another."""
    folder = instance.folder("keys")
    folder.chmod(0o700)
    found = sorted(folder.glob("*.pem"))
    if not found:
        write_private(folder / "local-1.pem", _generate())
        found = sorted(folder.glob("*.pem"))
    accounts.own(folder, *found, server=False)
    return found[-1]


def _generate() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
