"""The Content Security Policy in a real browser: nothing that a page does is refused (the fixtures watch), and what an
attacker would do is."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("address", ["/verify", "/predicates/", "/admin/login/", "/api/docs"])
def test_public_pages_work_within_the_policy(address, page):
    page.goto(address)
    page.wait_for_load_state("networkidle")


def test_the_interactive_parts_of_the_console_work_without_eval(console, market):
    console.goto("/admin/jobs/job/")
    console.keyboard.press("Control+k")
    console.locator("[x-ref=searchInputCommand]").press_sequentially("lumen")
    console.wait_for_selector("#command-results-list a")
    console.keyboard.press("Escape")
    console.keyboard.press("Escape")
    console.locator("[x-on\\:click='filterOpen = true']").first.click()
    console.wait_for_selector("#changelist-filter")
    console.keyboard.press("Escape")
    console.locator("[x-on\\:click='sidebarDesktopOpen = !sidebarDesktopOpen']").first.click()
    assert console.evaluate("localStorage.getItem('sidebarDesktopOpen')") == "0"


def test_the_theme_is_switched_and_kept(console):
    console.locator("[x-on\\:click='openUserLinks = !openUserLinks']").first.click()
    console.locator("[x-on\\:click=\"switchTheme('dark')\"]").first.click()
    console.wait_for_selector("html.dark")
    console.reload()
    console.wait_for_selector("html.dark")


INJECTED = """async () => {
  const script = Object.assign(document.createElement("script"), { textContent: "window.inline = 1" });
  document.head.append(script);
  document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.handler = 1">');
  await new Promise((done) => setTimeout(done, 300));
  let evaluated = "refused";
  try { evaluated = new Function("return 'ran'")(); } catch {}
  return [window.inline, window.handler, evaluated].map(String);
}"""


def test_neither_injected_scripts_nor_eval_run(market, live_server, browser):
    page = browser.new_page(base_url=live_server.url)
    page.goto("/admin/login/")
    assert page.evaluate(INJECTED) == ["undefined", "undefined", "refused"]
    page.close()
