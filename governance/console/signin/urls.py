"""Addresses of signing in and of one's own account.

They come before those of the admin site, whose own pages for logging in and for passwords they take the place of. Only
these pages of django-allauth exist: nobody signs up, and no address of theirs is asked for.
"""

from allauth.account.views import logout, reauthenticate
from allauth.mfa.base.views import reauthenticate as reauthenticate_by_code
from allauth.mfa.recovery_codes.views import view_recovery_codes
from allauth.mfa.webauthn.views import edit_webauthn, reauthenticate_webauthn
from django.urls import path
from django.views.generic import RedirectView

from governance.console.signin.factor_views import (
    AccountView,
    AddAppView,
    AddKeyView,
    CodeView,
    NewCodesView,
    OwnPasswordView,
    RemoveAppView,
    RemoveKeyView,
    sign_out_everywhere_view,
)
from governance.console.signin.sso import begin, complete
from governance.console.signin.views import SignInView

_account = RedirectView.as_view(pattern_name="mfa_index")

urlpatterns = [
    path("login/", SignInView.as_view(), name="account_login"),
    path("password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("account/", AccountView.as_view(), name="mfa_index"),
    path("account/logout/", logout, name="account_logout"),
    path("account/password/", OwnPasswordView.as_view(), name="account_change_password"),
    path("account/sessions/", sign_out_everywhere_view, name="account_sign_out_everywhere"),
    path("account/confirm/", reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code/", reauthenticate_by_code, name="mfa_reauthenticate"),
    path("account/confirm/key/", reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/second-factor/", CodeView.as_view(), name="mfa_authenticate"),
    path("account/sso/", begin, name="sso_begin"),
    path("account/sso/done/", complete, name="sso_complete"),
    path("account/app/add/", AddAppView.as_view(), name="mfa_activate_totp"),
    path("account/app/remove/", RemoveAppView.as_view(), name="mfa_deactivate_totp"),
    path("account/keys/", _account, name="mfa_list_webauthn"),
    path("account/keys/add/", AddKeyView.as_view(), name="mfa_add_webauthn"),
    path("account/keys/<int:pk>/", edit_webauthn, name="mfa_edit_webauthn"),
    path("account/keys/<int:pk>/remove/", RemoveKeyView.as_view(), name="mfa_remove_webauthn"),
    path("account/recovery-codes/", view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new/", NewCodesView.as_view(), name="mfa_generate_recovery_codes"),
]
