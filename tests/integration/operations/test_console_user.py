"""`manage.py console_user`: the first console user, on record."""

import io

import pytest
from allauth.mfa.models import Authenticator
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


@pytest.mark.parametrize("options", [[], ["--password-stdin"]])
def test_a_password_is_set_on_record(options: list[str]) -> None:
    ada = User.objects.create_user("ada")

    call_command("console_user", "password", "ada", *options)

    assert User.objects.get().check_password(PASSWORD)
    assert newest_data("user.password_set", USER.ref(ada)) == {}


def test_a_second_factor_is_reset_on_record() -> None:
    ada = User.objects.create_superuser("ada")
    Authenticator.objects.create(user=ada, type="totp", data={})

    call_command("console_user", "reset-second-factor", "ada")

    assert not Authenticator.objects.exists()
    assert newest_data("user.second_factors_reset", USER.ref(ada)) == {"factors": ["totp"]}


@pytest.mark.parametrize("operation", [["password", "nobody"], ["reset-second-factor", "nobody"]])
def test_an_unknown_user_is_reported(operation: list[str]) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("console_user", *operation)


def test_a_user_without_a_factor_has_none_to_reset() -> None:
    User.objects.create_user("ada")
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("console_user", "reset-second-factor", "ada")
