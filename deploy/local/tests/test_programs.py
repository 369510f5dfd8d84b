"""Programs become a supervisor's file that says what they say, whatever characters they hold."""

import configparser
import shlex
from pathlib import Path

import pytest

from deploy.local import programs
from deploy.local.instance import Instance


def render(instance: Instance, program: programs.Program, *, as_root: bool = False) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(programs.configuration(instance, [program], as_root=as_root))
    return parser


def program(**changes: object) -> programs.Program:
    plain = {"name": "echo", "command": ("/bin/echo", "a b"), "directory": Path("/tmp"), "environment": {}}
    return programs.Program(**{**plain, **changes})  # type: ignore[arg-type]


def test_arguments_with_blanks_stay_one_argument(instance: Instance) -> None:
    command = render(instance, program())["program:echo"]["command"]

    assert shlex.split(command) == ["/bin/echo", "a b"]


def test_percent_signs_and_quotes_survive(instance: Instance) -> None:
    environment = render(instance, program(environment={"NAME": 'a%b"c'}))["program:echo"]["environment"]

    assert 'NAME="a%b\\"c"' in environment


def test_every_program_bears_the_mark_of_its_instance(instance: Instance) -> None:
    environment = render(instance, program())["program:echo"]["environment"]

    assert f'{programs.MARK}="{instance.home}"' in environment


def test_nothing_starts_before_its_turn(instance: Instance) -> None:
    assert render(instance, program())["program:echo"]["autostart"] == "false"


@pytest.mark.parametrize("as_root", [True, False])
def test_the_user_is_named_only_under_root(instance: Instance, as_root: bool) -> None:
    assert ("user" in render(instance, program(), as_root=as_root)["supervisord"]) is as_root
