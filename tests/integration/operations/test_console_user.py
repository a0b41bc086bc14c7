"""`manage.py console_user`: the first console user, on record."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from governance.console.entries import USER
from governance.console.roles import ensure_roles
from tests.factories.audit import newest_data

PASSWORD = "tangerine-lighthouse-42"


@pytest.fixture(autouse=True)
def typed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Type the password."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    monkeypatch.setattr("governance.operations.management.commands.console_user.getpass", lambda prompt: PASSWORD)


@pytest.mark.parametrize("options", [[], ["--password-stdin"]])
def test_a_superuser_is_added_on_record(options: list[str]) -> None:
    call_command("console_user", "add", "ada", "--superuser", *options)

    ada = User.objects.get()
    assert ada.is_superuser
    assert ada.check_password(PASSWORD)
    assert newest_data("user.created", USER.ref(ada))["after"] == USER.present_state(ada)


def test_a_user_is_added_to_groups() -> None:
    ensure_roles()

    call_command("console_user", "add", "ada", "--group", "Auditor", "--group", "Moderator")

    assert USER.state(User.objects.get())["groups"] == ["Auditor", "Moderator"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["two words"], "The user is not valid. Enter a valid username"), (["ada", "--group", "None"], "no group 'None'")],
)
def test_what_is_wrong_is_reported(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("console_user", "add", *arguments)

    assert not User.objects.exists()
