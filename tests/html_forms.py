"""What a browser would send for a form of a page, so that tests fill in what people see."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    """Collects the names and values of controls as they would be submitted (HTML, "constructing the form data set")."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        handle = {"input": self._input, "select": self._enter, "option": self._option, "textarea": self._enter_text}
        handle.get(tag, lambda name, given: None)(name, given)

    def handle_endtag(self, tag: str) -> None:
        self._select = "" if tag == "select" else self._select
        self._textarea = "" if tag == "textarea" else self._textarea

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.sent[self._textarea] = [data.removeprefix("\n")]

    def _input(self, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        skipped = kind in ("checkbox", "radio") and "checked" not in given
        if name and "disabled" not in given and kind not in ("file", "submit") and not skipped:
            self.sent.setdefault(name, []).append(given.get("value", "on" if kind == "checkbox" else ""))

    def _enter(self, name: str, given: dict[str, str]) -> None:
        self._select = "" if "disabled" in given else name

    def _option(self, name: str, given: dict[str, str]) -> None:
        if self._select and "selected" in given:
            self.sent.setdefault(self._select, []).append(given.get("value", ""))

    def _enter_text(self, name: str, given: dict[str, str]) -> None:
        self._textarea = name
        self.sent[name] = [""]


def as_sent(page: str) -> dict[str, list[str]]:
    """Return what a browser sends for the controls of a page, by name."""
    form = _Form()
    form.feed(page)
    return form.sent
