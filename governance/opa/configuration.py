"""The configuration file of an OPA server of this installation.

Format: https://www.openpolicyagent.org/docs/configuration. JSON is YAML too, so OPA reads it as it is.
"""

from governance.keys.ring import PublicKeyInfo
from governance.opa.events import BUNDLE
from governance.rulebook.bundles import SCOPE

SERVICE = "assent"
LONG_POLL_SECONDS = 20


def opa_configuration(*, url: str, name: str, token: str, key: PublicKeyInfo) -> dict[str, object]:
    """Return the configuration of the server `name`: where bundles come from, by which key, where reports go.

    `url` is our web address as the server reaches it. The key is named on purpose: a server that is not told by which
    key to verify accepts a bundle without any signature.
    """
    return {
        "labels": {"name": name},
        "services": {
            SERVICE: {
                "url": f"{url.rstrip('/')}/opa",
                "credentials": {"bearer": {"token": token}},
                "response_header_timeout_seconds": 10,
            }
        },
        "keys": {key.key_id: {"algorithm": "ES256", "key": key.public_pem}},
        "bundles": {
            BUNDLE: {
                "service": SERVICE,
                "resource": f"bundles/{BUNDLE}",
                "polling": {
                    "min_delay_seconds": 1,
                    "max_delay_seconds": 2,
                    "long_polling_timeout_seconds": LONG_POLL_SECONDS,
                },
                "signing": {"keyid": key.key_id, "scope": SCOPE},
            }
        },
        "decision_logs": {"service": SERVICE, "reporting": {"min_delay_seconds": 1, "max_delay_seconds": 2}},
        "status": {"service": SERVICE},
        "default_authorization_decision": "/system/authz/allow",
    }
