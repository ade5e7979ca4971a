from __future__ import annotations

from typing import Any

import pytest

from lsp_server.settings.resolve import merge, resolve
from lsp_server.settings.schema import LARGEST, Settings


def problem(options: dict[str, Any]) -> tuple[str, str]:
    """Name and message of the only problem with these options, which must leave all defaults in force."""
    resolution = resolve(options)
    assert resolution.settings == Settings()
    (found,) = resolution.problems
    return found.name, found.message


def test_no_options_are_the_defaults() -> None:
    resolution = resolve({})

    assert resolution.settings == Settings()
    assert resolution.problems == ()


def test_a_partial_section_keeps_its_other_defaults() -> None:
    resolution = resolve({"engine": {"n_ctx": 4096}, "models": {}})

    assert resolution.problems == ()
    assert resolution.settings.engine.n_ctx == 4096
    assert resolution.settings.engine.idle_minutes == Settings().engine.idle_minutes
    assert resolution.settings.models == Settings().models


@pytest.mark.parametrize(
    ("section", "name", "value", "wanted"),
    [
        ("engine", "n_ctx", "4096", "a whole number"),
        ("engine", "n_ctx", 4096.0, "a whole number"),
        ("engine", "n_ctx", True, "a whole number"),
        ("completion", "enabled", 1, "true or false"),
        ("models", "completion", ["auto"], "a text"),
        ("completion", "disabled_languages", "python", "a list of texts"),
        ("completion", "disabled_languages", ["python", 3], "a list of texts"),
        ("backend", "completion_url", 8080, "a text or a list of texts"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_and_its_default_used(
    section: str, name: str, value: object, wanted: str
) -> None:
    found, message = problem({section: {name: value}})

    assert found == f"{section}.{name}"
    assert message.startswith(f"{section}.{name} must be {wanted}, not {value!r}.")
    assert repr(getattr(getattr(Settings(), section), name)) in message


@pytest.mark.parametrize(
    ("value", "wanted"), [(-1, "at least 0"), (65536, "at most 65535"), (0, None), (65535, None), (8080, None)]
)
def test_bounds_are_inclusive(value: int, wanted: str | None) -> None:
    resolution = resolve({"engine": {"port": value}})

    if wanted is None:
        assert resolution.problems == ()
        assert resolution.settings.engine.port == value
    else:
        assert f"must be {wanted}, not {value}" in resolution.problems[0].message
        assert resolution.settings.engine.port == Settings().engine.port


def test_no_number_is_beyond_what_others_have_room_for() -> None:
    assert resolve({"engine": {"n_ctx": LARGEST}}).problems == ()
    _, message = problem({"engine": {"n_ctx": 10**30}})
    assert f"must be at most {LARGEST}" in message


def test_an_unknown_setting_is_reported_with_the_nearest_name() -> None:
    assert problem({"engine": {"n_ctxx": 4096}}) == (
        "engine.n_ctxx",
        "Unknown setting engine.n_ctxx. Did you mean engine.n_ctx?",
    )


def test_an_unknown_section_is_reported_with_the_nearest_name() -> None:
    assert problem({"engin": {}}) == ("engin", "Unknown setting engin. Did you mean engine?")


def test_an_unknown_setting_that_resembles_none_gets_no_suggestion() -> None:
    assert problem({"telepathy": True}) == ("telepathy", "Unknown setting telepathy.")


def test_a_section_that_is_no_group_is_reported() -> None:
    name, message = problem({"engine": 4096})

    assert name == "engine"
    assert "group of settings" in message


def test_one_wrong_value_spares_the_others() -> None:
    resolution = resolve({"engine": {"n_ctx": "many", "port": 8012}, "completion": {"enabled": False}})

    assert [problem.name for problem in resolution.problems] == ["engine.n_ctx"]
    assert resolution.settings.engine.port == 8012
    assert resolution.settings.completion.enabled is False


def test_a_list_becomes_a_tuple() -> None:
    resolution = resolve({"completion": {"disabled_languages": ["markdown", "plaintext"]}})

    assert resolution.settings.completion.disabled_languages == ("markdown", "plaintext")


@pytest.mark.parametrize(
    ("value", "urls"), [("http://a", ("http://a",)), (["http://a", "http://b"], ("http://a", "http://b")), ("", ())]
)
def test_one_address_need_not_be_a_list(value: object, urls: tuple[str, ...]) -> None:
    resolution = resolve({"backend": {"completion_url": value}})

    assert resolution.settings.backend.completion_url == urls
    assert resolution.problems == ()


@pytest.mark.parametrize("options", [{"engine": None}, {"engine": {"n_ctx": None, "port": None}}])
def test_null_means_not_set(options: dict[str, Any]) -> None:
    resolution = resolve(options)

    assert resolution.settings == Settings()
    assert resolution.problems == ()


def test_merge_goes_setting_by_setting_and_the_later_layer_wins() -> None:
    below = {"engine": {"n_ctx": 1024, "port": 1}, "models": {"completion": "below"}}
    above = {"engine": {"port": 2}}

    assert merge(below, above) == {"engine": {"n_ctx": 1024, "port": 2}, "models": {"completion": "below"}}
    assert below["engine"]["port"] == 1


@pytest.mark.parametrize("above", [{"engine": None}, {"engine": {"n_ctx": None}}])
def test_a_null_does_not_hide_what_a_lower_layer_says(above: dict[str, Any]) -> None:
    assert merge({"engine": {"n_ctx": 1024}}, above) == {"engine": {"n_ctx": 1024}}


@pytest.mark.parametrize("above", [7, [], "text"])
def test_a_layer_replaces_what_it_cannot_merge_with(above: object) -> None:
    assert merge({"engine": {"n_ctx": 1024}}, {"engine": above}) == {"engine": above}
