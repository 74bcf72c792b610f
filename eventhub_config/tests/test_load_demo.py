from importlib import import_module
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_refuses_where_demo_data_is_not_allowed(settings: Settings):
    settings.ALLOW_DEMO_DATA = False

    with pytest.raises(CommandError, match="ALLOW_DEMO_DATA"):
        call_command("load_demo")

    assert not get_user_model().objects.exists()


def test_tells_whom_one_can_sign_in_as():
    out = StringIO()

    call_command("load_demo", "--print-sign-ins", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["role", "username", "e-mail", "password"]
    assert [line.split()[1] for line in lines[1:]] == [s.username for s in import_module("users.demo").SIGN_INS]
