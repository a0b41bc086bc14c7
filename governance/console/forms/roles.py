"""What is entered about the roles of API clients."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from governance.console.forms.fields import names_field
from governance.console.types import Given
from governance.kernel.vocabulary import Action
from governance.partners.models import ApiClient, ModelGroup, Partner, Role, RolePermission
from governance.partners.rbac import ANY, MEMBER
from governance.partners.roles import Grant
from governance.registry.models import Model

_GROUP = "group:"


def grants_text(permissions: "list[RolePermission]") -> str:
    """Return permissions as they are entered, one to a line."""
    return "\n".join(
        f"{each.action or ANY} {_GROUP + each.group.slug if each.group else each.model_slug or ANY}"
        for each in permissions
    )


class GrantsField(forms.CharField):
    """Permissions, one to a line: an action and a model, `group:` and a group, or `*`; cleans to a list of grants."""

    def __init__(self, **kwargs: Given) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false", "placeholder": "model.invoke *"})
        super().__init__(required=False, widget=widget, **kwargs)

    def clean(self, value: Any) -> list[Grant]:
        """Check the fields against each other."""
        lines = [line.split() for line in str(super().clean(value)).splitlines() if line.strip()]
        return [self._grant(words) for words in lines]

    def _grant(self, words: list[str]) -> Grant:
        action, what = words if len(words) == 2 else (" ".join(words), "")
        if not what:
            raise forms.ValidationError(f"'{action}': write an action and a model, such as 'model.invoke upscaler'.")
        if action not in (ANY, *Action):
            raise forms.ValidationError(f"'{action}' is not a known action. Known: {', '.join(Action)} and {ANY}.")
        action = "" if action == ANY else action
        if what.startswith(_GROUP):
            group = ModelGroup.objects.filter(slug=what.removeprefix(_GROUP)).first()
            if group is None:
                raise forms.ValidationError(f"There is no model group '{what.removeprefix(_GROUP)}'.")
            return Grant(action=action, group=group)
        if what != ANY and not Model.objects.filter(slug=what).exists():
            raise forms.ValidationError(f"There is no model '{what}'.")
        return Grant(action=action, model="" if what == ANY else what)


class RoleForm(forms.Form):
    """A role with what it allows."""

    slug = forms.SlugField(
        widget=UnfoldAdminTextInputWidget(),
        help_text=f"Never changes. The role '{MEMBER}' applies to every client without a role.",
    )
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget())
    partner = forms.ModelChoiceField(
        queryset=Partner.objects.all(),
        required=False,
        label="Only for",
        widget=UnfoldAdminSelectWidget(),
        empty_label="Every partner",
    )
    inherits = names_field([], label="Inherits from", help_text="It allows all that these roles allow, too.")
    grants = GrantsField(
        label="Allows",
        help_text="One a line: an action, then a model, 'group:' and a group, or '*'. '*' is also any action.",
    )

    def __init__(self, *args: Any, role: Role | None = None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["inherits"]
        assert isinstance(field, forms.MultipleChoiceField)
        others = Role.objects.exclude(pk=role.pk) if role else Role.objects
        field.choices = list(others.values_list("slug", "name"))
        if role is not None:
            del self.fields["slug"], self.fields["partner"]

    def clean_inherits(self) -> list[Role]:
        """Return the roles that are inherited from."""
        return list(Role.objects.filter(slug__in=self.cleaned_data["inherits"]))


class ModelGroupForm(forms.Form):
    """A group of models."""

    slug = forms.SlugField(widget=UnfoldAdminTextInputWidget(), help_text="Never changes.")
    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget())
    models = names_field([], label="Models")

    def __init__(self, *args: Any, group: ModelGroup | None = None, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["models"]
        assert isinstance(field, forms.MultipleChoiceField)
        # A deleted model stays in the group until it is removed.
        gone = {slug: slug for slug in (group.model_slugs if group else ())}
        field.choices = sorted((gone | dict(Model.objects.values_list("slug", "name"))).items())
        if group is not None:
            del self.fields["slug"]


class ClientRolesForm(forms.Form):
    """The roles of one client."""

    roles = names_field([], help_text=f"None: the role '{MEMBER}' if there is one, else no limit beyond the token's.")

    def __init__(self, *args: Any, client: ApiClient, **kwargs: Given) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["roles"]
        assert isinstance(field, forms.MultipleChoiceField)
        fitting = Role.objects.filter(partner=None) | Role.objects.filter(partner=client.partner)
        field.choices = list(fitting.values_list("slug", "name"))

    def clean_roles(self) -> list[Role]:
        """Return the roles that were chosen."""
        return list(Role.objects.filter(slug__in=self.cleaned_data["roles"]))
