"""Templates that come with a download, in their process: what they may take, and what becomes of the others."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from lsp_server import own_python
from lsp_server.engine import templates
from lsp_server.engine.template_process import environment
from lsp_server.engine.templates import RenderedElsewhere
from lsp_server.errors import EngineError, InvalidRequestError

HI: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
# Of a template that has to be stopped; the process is up long before.
SHORT_S = 2.0
Make = Callable[..., RenderedElsewhere]


@pytest.fixture
def make() -> Iterator[Make]:
    """``make(source, limit_s)``: a template whose process is gone after the test."""
    made: list[RenderedElsewhere] = []

    def make(source: str, limit_s: float = 30.0) -> RenderedElsewhere:
        made.append(RenderedElsewhere(source, limit_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


ENDLESS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(9) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "recursion that branches": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
    "{{ f(60) }}",
    "a number": "{{ 9 ** (9 ** 9) % 7 }}",
    "a sum": "{% set n = namespace(v=0) %}{% for i in range(99999) %}{% for j in range(99999) %}"
    "{% set n.v = n.v + 1 %}{% endfor %}{% endfor %}{{ n.v }}",
    "words without sense": "{{ lipsum(n=99999, min=9999, max=99999) }}",
}
HUGE = {
    "a string": "{{ 'x' * 10 ** 11 }}",
    "a string by half": "{{ 'x' * 10 ** 7 }}",
    "doubling": "{% set n = namespace(v='xx') %}{% for i in range(60) %}{% set n.v = n.v + n.v %}{% endfor %}{{ n.v }}",
    "a list": "{{ ([0] * 10 ** 10) | length }}",
    "formatting": "{{ '%99999999999d' % 1 }}",
    "centering": "{{ 'x' | center(10 ** 11) }}",
    "replacing": "{{ ('x' * 99999) | replace('x', 'x' * 99999) }}",
    "output": "{% for i in range(99999) %}{% for j in range(99) %}{{ messages[0].content }}{% endfor %}{% endfor %}",
}
DEEP = {
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "minus signs": "{{ " + "-" * 20_000 + "1 }}",
    "blocks": "{% if 1 %}" * 2000 + "{% endif %}" * 2000,
    "loops": "{% for a in [1] %}" * 200 + "{% endfor %}" * 200,
    "lists": "{{ " + "[" * 3000 + "]" * 3000 + " }}",
}


def resident(template: RenderedElsewhere) -> int:
    process = template._process
    return psutil.Process(process.pid).memory_info().rss if process else 0


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_template_without_end_is_ended(source: str, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    template = make(source, SHORT_S)
    before = time.monotonic()

    with pytest.raises(InvalidRequestError, match="chat template"):
        template.render(HI)

    # A machine with a model on it is slow; without a limit these take years.
    assert time.monotonic() - before < 30
    assert template._process is None
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize("source", HUGE.values(), ids=HUGE.keys())
def test_a_template_that_makes_much_is_refused(source: str, make: Make) -> None:
    template = make(source)

    with pytest.raises(InvalidRequestError, match="chat template") as refusal:
        template.render(HI)

    assert len(str(refusal.value)) < 1000
    assert resident(template) < 1 << 30


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_a_deep_template_takes_nothing_down(source: str, make: Make) -> None:
    with pytest.raises(InvalidRequestError, match="chat template"):
        make(source).render(HI)


def test_a_long_complaint_is_cut(make: Make) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        make("{{ raise_exception('x' * 1000000) }}").render(HI)

    assert len(str(refusal.value)) < 1000


def test_one_that_broke_its_bounds_twice_is_not_tried_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    template = make(ENDLESS["nested loops"], 0.2)
    for _ in range(2):
        with pytest.raises(InvalidRequestError, match="too long"):
            template.render(HI)
    monkeypatch.setattr(templates, "_start", lambda: pytest.fail("was tried again"))

    with pytest.raises(InvalidRequestError, match="not tried again"):
        template.render(HI)


def test_one_that_depends_on_the_messages_works_for_others(make: Make) -> None:
    template = make("{% if hang %}" + ENDLESS["nested loops"] + "{% endif %}{{ messages[0].content }}", SHORT_S)
    assert template.render(HI) == "Hi"

    with pytest.raises(InvalidRequestError, match="too long"):
        template.render({**HI, "hang": True})

    assert template.render(HI) == "Hi"


def test_a_process_that_is_killed_is_started_again(make: Make) -> None:
    template = make("{{ messages[0].content }}")
    template.render(HI)
    assert template._process
    template._process.kill()
    template._process.wait()

    assert template.render(HI) == "Hi"


def test_several_threads_get_their_own_answers(make: Make) -> None:
    template = make("{{ n }}")
    answers: dict[int, str] = {}

    def ask(n: int) -> None:
        answers[n] = template.render({"n": n})

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {n: str(n) for n in range(20)}


@pytest.mark.parametrize("content", ["", "a\r\nb\u2028c\x85", "\ud83d", "\ue0000\ue001", "é" * 300_000, "\0"])
def test_text_comes_back_as_it_went(content: str, make: Make) -> None:
    source = "{%- for m in messages -%}\n  <|{{ m.role }}|>\n{{ m.content }}{% endfor %}\r\n ü"
    variables = {"messages": [{"role": "user", "content": content}]}

    assert make(source).render(variables) == environment().from_string(source).render(variables)


def test_it_ends_with_what_started_it() -> None:
    command = own_python.command("lsp_server.engine.template_process")
    process = subprocess.Popen(command, cwd=own_python.FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.communicate(b'"x"\n{}\n', timeout=30)

    assert process.returncode == 0


def test_a_process_that_cannot_be_started_is_an_error(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_python, "command", lambda *_: ["/nowhere/python"])

    with pytest.raises(EngineError, match="could not be started"):
        make("x").render(HI)
