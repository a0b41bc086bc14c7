import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from governance.transparency.notes import (
    COSIGNATURE_V1,
    ED25519,
    MAX_NOTE_BYTES,
    CheckpointBody,
    NoteInvalid,
    NoteKey,
    cosign,
    note_key,
    open_note,
    parse_checkpoint,
    parse_signature_line,
    parse_vkey,
    sign_note,
    signature_line,
    split_note,
    verify_cosignature,
    vkey_of,
)

# Go's example for golang.org/x/mod/sumdb/note.
GO_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
GO_TEXT = "This is an example message.\n"
GO_LINE = (
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}"
BODY = CheckpointBody(origin="example.com/log", size=42, root=bytes(range(32)))
TEXT = BODY.body_text()


@dataclass(frozen=True)
class Signer:
    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def key(self, algorithm: int = ED25519) -> NoteKey:
        return note_key(name=self.name, public=self.public, algorithm=algorithm)

    def note(self, text: str = TEXT) -> str:
        return sign_note(text=text, name=self.name, public=self.public, sign=self.private.sign)

    def cosignature(self, text: str = TEXT, at: int = 1_700_000_000) -> str:
        return cosign(text=text, name=self.name, public=self.public, sign=self.private.sign, at=at)


def signer(name: str, seed: int) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


LOG = signer("example.com/log", 1)
STRANGER = signer("example.com/log", 2)
WITNESS = signer("witness.example/w1", 3)


def test_known_answer_of_go() -> None:
    key = parse_vkey(GO_VKEY)

    opened = open_note(note=GO_NOTE, keys=[key])

    assert opened.text == GO_TEXT
    assert opened.verified == (key,)
    assert (key.name, key.key_hash.hex(), key.algorithm) == ("example.com/foo", "530d903a", ED25519)
    assert key.vkey == GO_VKEY


def test_vkey_is_read_back() -> None:
    text = vkey_of(name=WITNESS.name, public=WITNESS.public, algorithm=COSIGNATURE_V1)

    assert parse_vkey(text) == WITNESS.key(COSIGNATURE_V1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a verifier key"),
        ("example.com/foo+530d903a", "not a verifier key"),
        (GO_VKEY.upper(), "not a verifier key"),
        (GO_VKEY.replace("530d903a", "530d903b"), "does not have the hash"),
        (GO_VKEY.replace("foo", "bar"), "does not have the hash"),
        (GO_VKEY.replace("+AekyeR", "+AekyeS"), "does not have the hash"),
        (GO_VKEY.replace("+Aeky", "+Beky"), "type 5"),
        (GO_VKEY[:-4], "32 bytes, not 29"),
        (GO_VKEY[:-1], "not base64"),
        ("a+530d903a+=", "not base64"),
        ("a\tb" + GO_VKEY, "name of a key"),
    ],
)
def test_anything_but_a_vkey_is_refused(text: str, says: str) -> None:
    with pytest.raises(NoteInvalid, match=re.escape(says)) as refused:
        parse_vkey(text)

    assert refused.value.error_code == "note_invalid"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x00b", "\ud800"])
def test_names_that_keys_cannot_have(name: str) -> None:
    with pytest.raises(NoteInvalid):
        vkey_of(name=name, public=bytes(32))


def test_signed_note_is_opened() -> None:
    opened = open_note(note=LOG.note(), keys=[STRANGER.key(), LOG.key()])

    assert opened.text == TEXT
    assert opened.verified == (LOG.key(),)
    assert [line.name for line in opened.lines] == [LOG.name]


def test_note_of_an_unknown_key_is_refused_even_under_a_known_name() -> None:
    with pytest.raises(NoteInvalid, match="not signed by any key"):
        open_note(note=STRANGER.note(), keys=[LOG.key()])


def test_lines_of_unknown_keys_are_ignored() -> None:
    note = LOG.note() + STRANGER.note().rpartition("\n\n")[2] + WITNESS.cosignature()

    opened = open_note(note=note, keys=[LOG.key()])

    assert opened.verified == (LOG.key(),)
    assert len(opened.lines) == 3


def test_a_wrong_signature_of_a_known_key_refuses_the_whole_note() -> None:
    wrong = signature_line(name=WITNESS.name, key_hash=WITNESS.key().key_hash, signature=bytes(64))

    with pytest.raises(NoteInvalid, match=r"'witness.example/w1' does not fit"):
        open_note(note=LOG.note() + wrong, keys=[LOG.key(), WITNESS.key()])


def test_a_key_that_signs_twice_counts_once() -> None:
    line = LOG.note().rpartition("\n\n")[2]

    assert open_note(note=LOG.note() + line, keys=[LOG.key()]).verified == (LOG.key(),)


def test_cosignatures_are_checked_with_the_note() -> None:
    keys = [LOG.key(), WITNESS.key(COSIGNATURE_V1)]

    assert open_note(note=LOG.note() + WITNESS.cosignature(), keys=keys).verified == tuple(keys)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signature: signature[:-1],
        lambda signature: signature[:7],
        lambda signature: bytes(8) + signature[8:],
        lambda signature: b"\x80" + signature[1:],
        lambda signature: signature[:8] + bytes(64),
    ],
)
def test_damaged_cosignatures_are_refused(spoil: Callable[[bytes], bytes]) -> None:
    key = WITNESS.key(COSIGNATURE_V1)
    signature = parse_signature_line(WITNESS.cosignature().strip()).signature
    line = signature_line(name=key.name, key_hash=key.key_hash, signature=spoil(signature))

    with pytest.raises(NoteInvalid, match="does not fit the checkpoint"):
        verify_cosignature(text=TEXT, line=line, key=key)
    with pytest.raises(NoteInvalid, match="does not fit the note"):
        open_note(note=LOG.note() + line, keys=[LOG.key(), key])


def test_cosignature_says_when() -> None:
    line = WITNESS.cosignature(at=1_679_315_147)

    assert verify_cosignature(text=TEXT, line=line, key=WITNESS.key(COSIGNATURE_V1)) == 1_679_315_147


def test_cosignature_signs_the_message_of_the_format() -> None:
    signature = parse_signature_line(WITNESS.cosignature(at=1_679_315_147).strip()).signature

    WITNESS.private.public_key().verify(signature[8:], f"cosignature/v1\ntime 1679315147\n{TEXT}".encode())


@pytest.mark.parametrize(
    "key", [LOG.key(COSIGNATURE_V1), WITNESS.key(), note_key(name="w", public=WITNESS.public, algorithm=4)]
)
def test_cosignature_of_another_key_is_refused(key: NoteKey) -> None:
    with pytest.raises(NoteInvalid, match="is not a cosignature of"):
        verify_cosignature(text=TEXT, line=WITNESS.cosignature(), key=key)


def test_cosignature_of_another_text_is_refused() -> None:
    line = WITNESS.cosignature(text=TEXT.replace("42", "43"))

    with pytest.raises(NoteInvalid, match="does not fit the checkpoint"):
        verify_cosignature(text=TEXT, line=line, key=WITNESS.key(COSIGNATURE_V1))


@pytest.mark.parametrize("at", [0, -1, 2**63])
def test_times_that_no_cosignature_can_have(at: int) -> None:
    with pytest.raises(NoteInvalid, match="is not a time"):
        WITNESS.cosignature(at=at)


def test_only_checkpoints_are_cosigned() -> None:
    with pytest.raises(NoteInvalid, match="not a checkpoint"):
        WITNESS.cosignature(text=GO_TEXT)


def test_a_signature_by_another_key_than_stated_is_never_given_out() -> None:
    with pytest.raises(NoteInvalid, match="does not belong"):
        sign_note(text=TEXT, name=LOG.name, public=LOG.public, sign=STRANGER.private.sign)
    with pytest.raises(NoteInvalid, match="does not belong"):
        cosign(text=TEXT, name=LOG.name, public=LOG.public, sign=STRANGER.private.sign, at=1)


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "nul\x00\n", "half \ud800 sign\n"])
def test_texts_that_cannot_be_signed(text: str) -> None:
    with pytest.raises(NoteInvalid):
        LOG.note(text)


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("", "not a signed note"),
        (GO_TEXT, "not a signed note"),
        (GO_NOTE[:-1], "not a signed note"),
        (GO_TEXT + "\n", "not a signed note"),
        (GO_NOTE.replace("— ", "- "), "em dash"),
        (GO_NOTE.replace("— ", "—  "), "name of a key"),
        (GO_NOTE.replace(" Uw2Q", "\u2003Uw2Q"), "name of a key"),
        (GO_NOTE.replace(" Uw2Q", " Uw2 "), "not base64"),
        (f"{GO_TEXT}\n— example.com/foo Uw2QOg==\n", "too short"),
        (f"{GO_TEXT}\n— example.com/foo \n", "empty"),
        (GO_NOTE.replace("This", "\tThis"), "control characters"),
        (GO_NOTE.replace("This", "\ud800"), "not valid Unicode"),
        (f"{'a' * MAX_NOTE_BYTES}\n\n{GO_LINE}", "longer than"),
        (f"{GO_TEXT}\n{GO_LINE * 65}", "65 signatures"),
    ],
)
def test_anything_but_a_note_is_refused(note: str, says: str) -> None:
    with pytest.raises(NoteInvalid, match=re.escape(says)):
        split_note(note)


def test_text_may_have_empty_lines() -> None:
    text = "one\n\ntwo\n"

    assert open_note(note=LOG.note(text), keys=[LOG.key()]).text == text


def test_changed_text_is_refused() -> None:
    with pytest.raises(NoteInvalid, match="does not fit the note"):
        open_note(note=LOG.note().replace("42", "43"), keys=[LOG.key()])


@given(st.integers(0, len(GO_NOTE.encode()) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(at: int, change: int) -> None:
    data = bytearray(GO_NOTE.encode())
    data[at] ^= change

    with pytest.raises(NoteInvalid):
        open_note(note=data.decode(errors="replace"), keys=[parse_vkey(GO_VKEY)])


def test_checkpoint_is_three_lines() -> None:
    assert TEXT == "example.com/log\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert parse_checkpoint(TEXT) == BODY


@given(
    st.builds(
        CheckpointBody,
        origin=st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="+"), min_size=1),
        size=st.integers(0, 2**63 - 1),
        root=st.binary(min_size=32, max_size=32),
    )
)
def test_checkpoint_is_read_back(body: CheckpointBody) -> None:
    assert parse_checkpoint(body.body_text()) == body


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a checkpoint"),
        (TEXT + "extension\n", "not a checkpoint"),
        (TEXT[:-1], "not a checkpoint"),
        ("\n42\nAAAA\n", "not a checkpoint"),
        (TEXT.replace("42", "042"), "size of a log"),
        (TEXT.replace("42", "-42"), "size of a log"),
        (TEXT.replace("42", "٤٢"), "size of a log"),
        (TEXT.replace("42", str(2**63)), "size of a log"),
        (TEXT.replace("42", "9" * 40), "size of a log"),
        ("log\n42\nAAAA\n", "32 bytes, not 3"),
        ("log\n42\n\n", "empty"),
    ],
)
def test_anything_but_a_checkpoint_is_refused(text: str, says: str) -> None:
    with pytest.raises(NoteInvalid, match=re.escape(says)):
        parse_checkpoint(text)


def test_key_hash_is_that_of_the_format() -> None:
    material = b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")

    assert note_key(name="example.com/foo", public=material[1:]).key_hash.hex() == "530d903a"
