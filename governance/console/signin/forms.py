"""What is entered to sign in, and to set up a second factor."""

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as FactorAgainForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.contrib.auth.models import User
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from governance.console.forms.accounts import PasswordForm
from governance.console.types import Given

KEY_NAME_CHARACTERS = 60


def _code(field: forms.Field, *, help_text: str = "") -> None:
    field.label, field.help_text = "Code", help_text
    field.widget = UnfoldAdminTextInputWidget(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
    )


def _key_name(field: forms.Field) -> None:
    assert isinstance(field, forms.CharField)
    field.label, field.max_length = "Name", KEY_NAME_CHARACTERS
    field.help_text = "To tell this key or device from others, such as “work laptop”."
    field.widget = UnfoldAdminTextInputWidget(attrs={"maxlength": KEY_NAME_CHARACTERS})


class SignInForm(LoginForm):  # type: ignore[misc]
    """User name and password, in the look of the console."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        name, password = self.fields["login"], self.fields["password"]
        name.label = "User name"
        name.widget = UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        )
        password.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"})
        password.help_text = ""


class PasswordAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The password, asked for once more before something that matters."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True})


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of the app, or a recovery code."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"], help_text="Six digits from your app, or one of your recovery codes.")


class CodeAgainForm(FactorAgainForm):  # type: ignore[misc]
    """A code, asked for once more before something that matters."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"], help_text="Six digits from your app, or one of your recovery codes.")


class FirstCodeForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app, which shows that it has the secret."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        _code(self.fields["code"], help_text="Six digits that the app shows now.")


class NewKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new key or device."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        _key_name(self.fields["name"])


class KeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a key or device."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        _key_name(self.fields["name"])


class OwnPasswordForm(PasswordForm):
    """The password of one's own account and a new one, typed twice."""

    current = forms.CharField(
        label="Current password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ["current", "password", "again"]

    def __init__(self, *args: Given, user: User, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
