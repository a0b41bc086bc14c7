"""The pages about OPA servers in a real browser."""

from governance.kernel.ids import new_id
from governance.opa.intake import store_logs
from governance.opa.models import OpaServer
from governance.opa.services import enrol, store_status
from governance.rulebook.queries import active_program
from tests.browser.conftest import keep
from tests.factories.marketplace import TESTER
from tests.factories.opa_events import event, status


def test_enrolling_a_server_and_looking_after_it(console):
    console.goto("/admin/opa/opaserver/")
    keep(console, "opa-servers-empty")
    console.goto("/admin/opa/opaserver/add/")
    console.fill("[name=name]", "edge-frankfurt")
    console.keyboard.press("Enter")
    console.wait_for_selector("#configuration")
    keep(console, "opa-configuration")
    assert '"keyid"' in console.inner_text("#configuration")

    server = OpaServer.objects.get()
    store_status(server=server, report=status("0" * 64))
    store_status(server=server, report=status("0" * 64, message="assent/asset/infer.rego: digest mismatch"))
    store_status(server=server, report=status(active_program().revision))
    store_logs(server=server, events=[event(str(new_id())) for _ in range(4)])
    enrol(name="edge-oslo", actor=TESTER)
    console.goto("/admin/opa/opaserver/")
    keep(console, "opa-servers")
    console.click("text=edge-frankfurt")
    console.wait_for_selector("text=What it reported")
    keep(console, "opa-server")
    console.click("text=Take out of service")
    console.wait_for_selector("text=This cannot be undone")
    console.keyboard.press("Tab")
    console.click("button[type=submit]:has-text('out of service')")
    console.wait_for_selector("text=Revoked")
    keep(console, "opa-server-revoked")
