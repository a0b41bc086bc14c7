"""Go's sumdb/note reads what we sign, cosignatures included, and we read what it signs."""

import pytest

from governance.transparency.notes import NoteInvalid, open_note, parse_vkey
from tests.factories.logs import ORIGIN, WITNESS_NAME, NoteSigner, ToyLog
from tests.interop.go_checker import CheckerFailed, GoChecker

AT = 1_760_000_000


@pytest.fixture
def log() -> ToyLog:
    return ToyLog()


@pytest.fixture
def witness() -> NoteSigner:
    return NoteSigner(WITNESS_NAME)


def test_go_opens_our_checkpoint(go: GoChecker, log: ToyLog) -> None:
    [opened] = go.open_notes((log.note(9), [log.signer.log_key.vkey]))
    assert opened == {"error": "", "text": log.text(9), "signers": [ORIGIN]}


def test_go_opens_our_checkpoint_with_its_cosignature(go: GoChecker, log: ToyLog, witness: NoteSigner) -> None:
    note = log.note(9) + witness.cosign(log.text(9), at=AT)
    keys = [log.signer.log_key.vkey, witness.witness_key.vkey]
    both, one = go.open_notes((note, keys), (note, keys[:1]))
    assert both["signers"] == [ORIGIN, WITNESS_NAME]
    assert one["signers"] == [ORIGIN]


def test_go_and_we_refuse_the_same(go: GoChecker, log: ToyLog, witness: NoteSigner) -> None:
    other = NoteSigner(ORIGIN)
    key = log.signer.log_key
    wrong = [
        log.note(9).replace("\n9\n", "\n8\n"),
        log.note(9).replace("— ", "- "),
        log.note(9).rstrip("\n"),
        log.note(9) + "— not a signature\n",
        log.note(9) + ToyLog(log.signer, "other").note(9).rpartition("\n\n")[2],
        log.note(9) + witness.cosign(log.text(8), at=AT),
        other.sign(log.text(9)),
        log.text(9),
        "",
    ]
    keys = [key, witness.witness_key]
    opened = go.open_notes(*((note, [each.vkey for each in keys]) for note in wrong))
    # Of two signatures by one key Go reads the first only; we look at every one.
    assert [bool(each["error"]) for each in opened] == [note != wrong[4] for note in wrong]
    for note in wrong:
        with pytest.raises(NoteInvalid):
            open_note(note=note, keys=keys)


def test_we_open_what_go_signs(go: GoChecker) -> None:
    text = "log.example/go\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    note, vkey = go.sign(name="log.example/go", text=text)
    key = parse_vkey(vkey)
    opened = open_note(note=note, keys=[key])
    assert (opened.text, opened.verified) == (text, (key,))
    assert key.vkey == vkey


def test_we_take_the_texts_that_go_takes(go: GoChecker) -> None:
    text = "Ognuno sta solo sul cuor della terra\n\ned è subito sera.\n"
    note, vkey = go.sign(name="quasimodo.example/salvatore", text=text)
    assert open_note(note=note, keys=[parse_vkey(vkey)]).text == text


def test_the_checker_names_what_it_cannot_answer(go: GoChecker, log: ToyLog) -> None:
    with pytest.raises(CheckerFailed, match="a verifier key has three parts"):
        go.open_notes((log.note(9), ["no key"]))
