"""What is shown at the end of a boot, and when somebody asks how things are."""

import time

from deploy.local.instance import Instance
from deploy.local.profiles import GATEWAY, TRACE_VIEWER
from deploy.local.supervision import Supervisor

READY = """
  通销 Tongxiao 已就绪 · is ready   ({seconds:.0f} s)

    打开 · open            http://localhost:{gateway}
    调用链 · traces        http://localhost:{viewer}   (稍后可用 · a little later)
    日志 · logs            make logs s=NAME     状态 · status   make status
    停止 · stop            make stop            清空 · empty    make reset
"""
PARTS = """
  测试部件已就绪 · the test parts are ready   ({seconds:.0f} s)

    TONGXIAO_TEST_ENV={environment}
    停止 · stop            make stop            清空 · empty    make reset
"""
SIGN_INS = "\n  演示账号 · demo sign-ins\n\n"


def ready(instance: Instance, seconds: float) -> str:
    if not instance.profile.whole:
        return PARTS.format(seconds=seconds, environment=instance.environment_file)
    text = READY.format(seconds=seconds, gateway=instance.port(GATEWAY), viewer=instance.port(TRACE_VIEWER))
    sign_ins = instance.home / "sign-ins.txt"
    return text + SIGN_INS + sign_ins.read_text() if sign_ins.exists() else text


def status(instance: Instance) -> str:
    supervisor = Supervisor(instance)
    if not supervisor.is_running():
        return f"  {instance.profile.name}: 未运行 · not running"
    lines = (_line(info) for info in supervisor.all_info())
    return "\n".join([f"  {instance.profile.name}:", *lines])


def _line(info: dict[str, object]) -> str:
    running = info["statename"] == "RUNNING"
    since = f"{time.time() - float(str(info['start'])):.0f} s" if running else str(info["description"])
    return f"    {info['name']!s:<24} {info['statename']!s:<10} {since}"
