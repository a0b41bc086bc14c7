"""What is entered to sign in."""

from allauth.account.forms import LoginForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from governance.console.types import Given


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
