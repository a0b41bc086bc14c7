"""Reading of environment variables."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from governance.config import environment


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
