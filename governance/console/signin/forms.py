"""What is entered to sign in, and to set up a second factor."""

import struct

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as FactorAgainForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from cryptography.exceptions import InvalidSignature
from django import forms
from django.contrib.auth.models import User
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from governance.console.forms.accounts import PasswordForm
from governance.console.types import Cleaned, Given
from governance.kernel.json_reading import read_json_object

KEY_NAME_CHARACTERS = 60
CREDENTIAL_CHARACTERS = 20_000
NOT_A_CREDENTIAL = "The key or device could not be used. Try again, or use another factor."
#: What the library raises for a credential that no authenticator made.
_MALFORMED = (
    AttributeError,
    IndexError,
    InvalidSignature,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class CredentialField(forms.JSONField):
    """What a browser says for a key: a JSON object of bounded size and depth, read strictly."""

    def to_python(self, value: object) -> object:  # type: ignore[override]
        """Return the object. Raises ValidationError for anything else."""
        if value in self.empty_values:
            return None
        try:
            if not isinstance(value, str) or len(value) > CREDENTIAL_CHARACTERS:
                raise ValueError("too long")
            return read_json_object(value, depth=8)
        except ValueError as error:
            raise forms.ValidationError(NOT_A_CREDENTIAL) from error

    def bound_data(self, data: object, initial: object) -> None:
        """Return nothing: what was sent is not shown again."""

    def prepare_value(self, value: object) -> str:
        """Return nothing: the browser asks the key anew."""
        return ""


def _credential() -> CredentialField:
    return CredentialField(widget=forms.HiddenInput)


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
        self.fields["credential"] = _credential()

    def clean(self) -> Cleaned:
        """Check the credential against the request that was made for it."""
        try:
            found: Cleaned = super().clean()
        except _MALFORMED as error:
            raise forms.ValidationError(NOT_A_CREDENTIAL) from error
        return found


class KeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A key or device, after the password."""

    def __init__(self, *args: Given, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _credential()

    def clean_credential(self) -> Authenticator:
        """Return the key that was used. Raises ValidationError."""
        try:
            return super().clean_credential()
        except _MALFORMED as error:
            raise forms.ValidationError(NOT_A_CREDENTIAL) from error


class KeyAgainForm(KeyForm):
    """A key or device, asked for once more before something that matters."""

    reauthenticated = ReauthenticateWebAuthnForm.reauthenticated


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
