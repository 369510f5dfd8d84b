"""`python3 -m deploy.local.bootstrap run|parts|test`: installs what is missing and nothing else."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 — this very check tells people with an older one
    sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.11 …")

from concurrent.futures import ThreadPoolExecutor

from deploy.local.bootstrap import apt, exclusive, keycloak, system_user, virtualenv
from deploy.local.progress import SetupError, say


def main(purpose: str) -> None:
    with exclusive.hold():
        apt.ensure(apt.needed(purpose))
        system_user.ensure()
        with ThreadPoolExecutor() as pool:
            for job in [pool.submit(virtualenv.ensure), pool.submit(keycloak.ensure)]:
                job.result()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SetupError as error:
        say(f"  ✗ {error}")
        sys.exit(1)
    except PermissionError as error:
        say(f"  ✗ {error.filename} belongs to another user. Work as that user, or delete .venv and .cache first.")
        sys.exit(1)
    except KeyboardInterrupt:
        say("  – interrupted; start again to go on")
        sys.exit(130)
