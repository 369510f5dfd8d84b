"""The file that tells tests, the seeder and a curious developer where everything is. Private: it holds secrets."""

import json

from deploy.local import processes
from deploy.local.credentials import write_private
from deploy.local.instance import Instance
from deploy.local.parts import keycloak, postgres, rabbitmq
from deploy.local.profiles import GATEWAY, TRACE_VIEWER


def variables(instance: Instance) -> dict[str, str]:
    parts = {
        **postgres.addresses(instance),
        **rabbitmq.addresses(instance),
        **keycloak.admin_addresses(instance),
        "TONGXIAO_ENVIRONMENT": "local",
    }
    return {**parts, **_product(instance)} if instance.profile.whole else parts


def write(instance: Instance) -> None:
    write_private(instance.environment_file, json.dumps(variables(instance), indent=2) + "\n")


def _product(instance: Instance) -> dict[str, str]:
    return {
        **processes.targets(instance),
        "TONGXIAO_GATEWAY_URL": f"http://localhost:{instance.port(GATEWAY)}",
        "TONGXIAO_TRACE_VIEWER_URL": f"http://localhost:{instance.port(TRACE_VIEWER)}",
        "TONGXIAO_SERVICE_TOKEN": instance.credentials.secret("service-token"),
        "TONGXIAO_SIGNING_KEY_DIR": str(instance.home / "keys"),
        "TONGXIAO_SIGN_INS_FILE": str(instance.home / "sign-ins.txt"),
    }
