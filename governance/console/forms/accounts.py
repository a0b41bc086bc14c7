"""What is entered about console users and their groups."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from governance.console.accounts import Access, Person
from governance.console.entries import permission_code
from governance.console.forms.fields import names_field, text_field
from governance.console.types import Cleaned, Given


def _password_field(label: str, **kwargs: Given) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, strip=False, widget=widget, **kwargs)


class PasswordForm(forms.Form):
    """A new password, typed twice."""

    password = _password_field("Password", help_text="At least 12 characters, and none that is easily guessed.")
    again = _password_field("Password again")

    def clean(self) -> Cleaned:
        """Check the fields against each other."""
        data = super().clean() or {}
        if data.get("password") != data.pop("again", None):
            self.add_error("again", "The two passwords are not the same.")
        return data


class UserForm(forms.Form):
    """Whose account it is, and what it may do. No form makes a superuser; a superuser can take that away."""

    username = text_field(max_length=150, label="User name", help_text="Letters, digits and @ . + - _")
    first_name = text_field(max_length=150, required=False)
    last_name = text_field(max_length=150, required=False)
    email = forms.EmailField(required=False, widget=UnfoldAdminTextInputWidget())
    groups = names_field([], help_text="What the user may see and do comes from the groups.")
    staff = forms.BooleanField(
        required=False, initial=True, label="May open the console", widget=UnfoldBooleanSwitchWidget()
    )
    superuser = forms.BooleanField(
        required=False,
        label="May do everything",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Whatever the groups. Only “manage.py console_user add --superuser” gives this.",
    )

    def __init__(self, *args: Any, user: User | None = None, by_superuser: bool, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["groups"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, name) for name in Group.objects.order_by("name").values_list("name", flat=True)]
        self.fields["superuser"].disabled = not (by_superuser and user is not None and user.is_superuser)
        if user is not None:
            self.initial = {
                "username": user.username,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "email": user.email,
                "groups": [group.name for group in user.groups.all()],
                "staff": user.is_staff,
                "superuser": user.is_superuser,
            }

    def clean(self) -> Cleaned:
        """Check the fields against each other."""
        data = super().clean() or {}
        if self.errors:
            return data
        names = ("username", "first_name", "last_name", "email")
        groups = list(Group.objects.filter(name__in=data.pop("groups")))
        access = Access(staff=data.pop("staff"), superuser=data.pop("superuser"), groups=groups)
        return {"person": Person(**{name: data.pop(name) for name in names}), "access": access, **data}


class NewUserForm(UserForm, PasswordForm):
    """A new account with its first password."""

    field_order = ["username", "password", "again"]


class GroupForm(forms.Form):
    """A group of console users with what they may do."""

    name = text_field(max_length=150, help_text="Never changes.")
    permissions = names_field([], help_text="What its members may do, within the tables that they see.")

    def __init__(self, *args: Any, group: Group | None = None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["permissions"]
        assert isinstance(field, forms.MultipleChoiceField)
        self._known = {permission_code(each): each for each in Permission.objects.select_related("content_type")}
        field.choices = [(code, f"{each.name} ({code})") for code, each in self._known.items()]
        if group is not None:
            del self.fields["name"]
            held = group.permissions.select_related("content_type")
            self.initial = {"permissions": [permission_code(each) for each in held]}

    def clean_permissions(self) -> list[Permission]:
        return [self._known[code] for code in self.cleaned_data["permissions"]]
