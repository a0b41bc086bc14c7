"""Reading of environment variables."""

import json
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from governance.config import environment
from tests.factories.logs import NoteSigner


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("ASSENT_X", "")
    assert environment.text("ASSENT_X", "fallback") == "fallback"


@pytest.mark.parametrize("raw", ["many", "0", "-3", "901"])
def test_a_number_out_of_bounds_is_refused_by_name(monkeypatch, raw):
    monkeypatch.setenv("ASSENT_X", raw)
    with pytest.raises(ImproperlyConfigured, match="ASSENT_X"):
        environment.integer("ASSENT_X", 5, most=900)


def test_words_are_split_at_commas(monkeypatch):
    monkeypatch.setenv("ASSENT_X", "a.example, b.example,,")
    assert environment.words("ASSENT_X") == ["a.example", "b.example"]


def test_a_path_is_absolute(monkeypatch):
    monkeypatch.setenv("ASSENT_X", "var/data")
    assert environment.path("ASSENT_X", Path("/other")).is_absolute()


def test_a_socket_directory_is_the_host():
    settings = environment.database("postgresql://postgres@/assent?host=/run/assent")
    assert (settings["HOST"], settings["NAME"], settings["USER"]) == ("/run/assent", "assent", "postgres")


def test_other_parameters_stay_options():
    settings = environment.database("postgresql://app:pw@db.example:5433/assent?sslmode=verify-full")
    assert settings["PORT"] == "5433"
    assert settings["OPTIONS"]["sslmode"] == "verify-full"


@pytest.mark.parametrize("read", [environment.choice, lambda *given: environment.words(*given[:2], among=given[2])])
def test_a_word_that_is_not_known_is_refused_with_those_that_are(monkeypatch, read):
    monkeypatch.setenv("ASSENT_X", "tpu")
    with pytest.raises(ImproperlyConfigured, match="ASSENT_X may contain only cpu, cuda, not 'tpu'"):
        read("ASSENT_X", "cpu", ("cpu", "cuda"))


def test_known_words_pass(monkeypatch):
    monkeypatch.setenv("ASSENT_X", "cuda")
    assert environment.choice("ASSENT_X", "cpu", ("cpu", "cuda")) == "cuda"
    assert environment.words("ASSENT_X", among=("cpu", "cuda")) == ["cuda"]


def test_what_is_no_url_of_a_broker_is_refused(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "localhost:6379")
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must be a URL"):
        environment.broker("REDIS_URL", "redis://127.0.0.1:6379/0")


def test_what_is_no_url_of_a_database_is_refused_without_quoting_it():
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL must be a URL such as [^ ]+$"):
        environment.database("secret-password")


WITNESS = NoteSigner("witness.example/w1")
DESCRIBED = {"name": WITNESS.name, "url": "https://witness.example", "vkey": WITNESS.witness_key.vkey}


def test_witnesses_are_a_list_of_objects(monkeypatch):
    assert environment.witnesses("ASSENT_X") == []
    monkeypatch.setenv("ASSENT_X", json.dumps([DESCRIBED]))
    assert environment.witnesses("ASSENT_X") == [DESCRIBED]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("[", "must be JSON such as"),
        ("{}", "it is not a list of objects"),
        ('["https://witness.example"]', "it is not a list of objects"),
        ("[{}]", "A witness has exactly the texts"),
        (json.dumps([{**DESCRIBED, "vkey": WITNESS.log_key.vkey}]), "is a log's"),
        (json.dumps([DESCRIBED, DESCRIBED]), "the same name"),
    ],
)
def test_witnesses_that_cannot_be_used_are_named(monkeypatch, raw, message):
    monkeypatch.setenv("ASSENT_X", raw)
    with pytest.raises(ImproperlyConfigured, match=f"ASSENT_X.*{message}"):
        environment.witnesses("ASSENT_X")


@pytest.mark.parametrize("origin", ["assent.local/log", "log.example.com:8443/assent", "a"])
def test_a_log_is_named(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("ASSENT_X", origin)
    assert environment.log_origin("ASSENT_X", "unused") == origin


@pytest.mark.parametrize("origin", ["two words", "a+b", "https://ä", "/log", "x" * 129])
def test_what_names_no_log_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("ASSENT_X", origin)
    with pytest.raises(ImproperlyConfigured, match=r"log\.example\.com"):
        environment.log_origin("ASSENT_X", "unused")


def test_names_by_name_are_an_object_of_lists(monkeypatch):
    assert environment.names_by_name("ASSENT_X") == {}
    monkeypatch.setenv("ASSENT_X", '{"policy-team": ["Policy author"]}')
    assert environment.names_by_name("ASSENT_X") == {"policy-team": ["Policy author"]}


@pytest.mark.parametrize("value", ["[]", '{"a": "b"}', '{"a": [1]}', '{"a": [], "a": []}', "x"])
def test_other_values_are_refused_with_an_example(monkeypatch, value):
    monkeypatch.setenv("ASSENT_X", value)
    with pytest.raises(ImproperlyConfigured, match="policy-team"):
        environment.names_by_name("ASSENT_X")
