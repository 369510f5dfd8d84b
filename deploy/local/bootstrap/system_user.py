"""Under root the servers run as a system user of their own: PostgreSQL refuses root, the others need not have it."""

import os
import pwd

from deploy.local.progress import run

NAME = "tongxiao"


def ensure() -> None:
    if os.geteuid() == 0 and not _exists():
        flags = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        run(["useradd", *flags, NAME], "Create the system user by hand and start again.")


def _exists() -> bool:
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return False
    return True
