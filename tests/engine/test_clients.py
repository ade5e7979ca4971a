"""Clients that are not ours, as they are: the `openai` package, curl, and the requests of llama.vim and llama.vscode.

Their requests are written down from ggml-org/llama.vim, ``autoload/llama.vim`` at commit 0fb14e7b (``s:ring_update``,
``llama#fim``, ``llama#inst``, ``llama#inst_send``), and ggml-org/llama.vscode, ``src/llama-server.ts`` at 009e5b72.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from benchmarks.completion import llama_vim
from lsp_server.engine import client_token
from tests.support.engine import PATIENCE_S, RunningEngine, events

pytestmark = pytest.mark.real_model

CAPITAL: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Answer with one word."},
    {"role": "user", "content": "What is the capital of France?"},
]
HEAD = 'def subtract(a, b):\n    return a - b\n\n\ndef add(a, b):\n    """Return the sum."""\n'
TAIL = "\n\n\ndef multiply(a, b):\n    return a * b\n"


@pytest.fixture(scope="module")
def token() -> str:
    """What a user puts into the settings of a client."""
    return client_token.made()


@pytest.fixture
def client(engine: RunningEngine, token: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client, which tries nothing twice."""
    with openai.OpenAI(
        base_url=f"{engine.record.url}/v1",
        api_key=token,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False, timeout=PATIENCE_S),
    ) as client:
        yield client


class TestOpenAI:
    def test_models(self, client: openai.OpenAI) -> None:
        (model,) = client.models.list().data

        assert model.id == "small"
        assert client.models.retrieve("small") == model

    def test_a_chat(self, client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(
            model="small", messages=CAPITAL, max_completion_tokens=12, temperature=0
        )

        (choice,) = answer.choices
        assert (choice.message.role, choice.finish_reason) == ("assistant", "stop")
        assert "Paris" in (choice.message.content or "")
        assert answer.usage
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens

    def test_a_chat_piece_by_piece_with_its_costs(self, client: openai.OpenAI) -> None:
        *pieces, last = client.chat.completions.create(
            model="small", messages=CAPITAL, max_tokens=12, stream=True, stream_options={"include_usage": True}
        )

        assert pieces[0].choices[0].delta.role == "assistant"
        assert "Paris" in "".join(piece.choices[0].delta.content or "" for piece in pieces)
        assert pieces[-1].choices[0].finish_reason == "stop"
        assert {piece.usage for piece in pieces} == {None}
        assert last.choices == []
        assert last.usage
        assert last.usage.prompt_tokens_details
        assert last.usage.prompt_tokens_details.cached_tokens is not None

    def test_what_the_client_gathers_from_a_stream(self, client: openai.OpenAI) -> None:
        with client.chat.completions.stream(model="small", messages=CAPITAL, max_tokens=12) as stream:
            answer = stream.get_final_completion()

        assert answer.choices[0].message.role == "assistant"
        assert "Paris" in (answer.choices[0].message.content or "")

    async def test_at_the_same_time(self, engine: RunningEngine, token: str) -> None:
        http_client = openai.DefaultAsyncHttpxClient(trust_env=False, timeout=PATIENCE_S)
        async with openai.AsyncOpenAI(
            base_url=f"{engine.record.url}/v1", api_key=token, max_retries=0, http_client=http_client
        ) as client:
            stream = await client.chat.completions.create(model="small", messages=CAPITAL, max_tokens=12, stream=True)
            text = await client.completions.create(model="small", prompt="One, two, three, four,", max_tokens=3)
            said = [chunk.choices[0].delta.content or "" async for chunk in stream]

        assert "Paris" in "".join(said)
        assert text.choices[0].text.startswith(" five")

    def test_how_likely_each_word_is(self, client: openai.OpenAI) -> None:
        chat = client.chat.completions.create(
            model="small", messages=CAPITAL, max_tokens=4, logprobs=True, top_logprobs=2
        )
        text = client.completions.create(model="small", prompt="One, two, three,", max_tokens=2, logprobs=3)

        assert chat.choices[0].logprobs
        (first, *_) = chat.choices[0].logprobs.content or []
        assert len(first.top_logprobs) == 2
        assert (first.token, first.logprob) == (first.top_logprobs[0].token, first.top_logprobs[0].logprob)
        assert text.choices[0].logprobs
        assert text.choices[0].logprobs.tokens == [" four", ","]
        assert [len(top) for top in text.choices[0].logprobs.top_logprobs or []] == [3, 3]

    def test_a_text_with_a_suffix(self, client: openai.OpenAI) -> None:
        answer = client.completions.create(
            model="small", prompt=f"{HEAD}    return ", suffix=TAIL, max_tokens=8, stop="\n"
        )

        assert answer.choices[0].text.strip() == "a + b"

    def test_a_text_piece_by_piece(self, client: openai.OpenAI) -> None:
        pieces = client.completions.create(
            model="small", prompt=["One, two, three, four,"], max_tokens=6, stop=[" seven"], stream=True
        )

        assert "".join(piece.choices[0].text for piece in pieces) == " five, six,"

    def test_json(self, client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(
            model="small",
            messages=[{"role": "user", "content": "Ann is 31. Write her name and age as JSON."}],
            response_format={"type": "json_object"},
            max_tokens=80,
        )

        assert answer.choices[0].finish_reason == "stop"
        assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)

    def test_leaving_a_stream_early_leaves_the_engine_sound(self, client: openai.OpenAI) -> None:
        count: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Count to a thousand."}]
        with client.chat.completions.create(model="small", messages=count, stream=True, max_tokens=1000) as stream:
            next(iter(stream))

        answer = client.chat.completions.create(model="small", messages=CAPITAL, max_tokens=12)
        assert "Paris" in (answer.choices[0].message.content or "")

    def test_another_token(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.AuthenticationError, match="The bearer token is missing or wrong"):
            client.with_options(api_key="another").models.list()

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"n": 2}, "n other than 1"),
            ({"temperature": -1}, "temperature"),
            ({"top_logprobs": 2}, "top_logprobs"),
            ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}, "tools"),
            (
                {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
                "response_format",
            ),
            ({"reasoning_effort": "high"}, "reasoning_effort"),
        ],
    )
    def test_what_cannot_be_done(self, client: openai.OpenAI, options: dict[str, Any], named: str) -> None:
        for stream in (False, True):
            with pytest.raises(openai.BadRequestError, match=named):
                client.chat.completions.create(model="small", messages=CAPITAL, stream=stream, **options)

    def test_what_is_not_here(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.NotFoundError, match="no model 'other'"):
            client.models.retrieve("other")
        with pytest.raises(openai.APIStatusError, match="Embeddings are not made here") as refused:
            client.embeddings.create(model="small", input="a")
        assert refused.value.status_code == 501
        with pytest.raises(openai.NotFoundError, match="POST /v1/images/generations is not served here"):
            client.images.generate(model="small", prompt="a cat")


CHUNKS = [
    {"text": "class Account:\n    balance = 0\n" * 20, "time": [1234, 5678], "filename": "bank.py"},
    {"text": "def greet():\n    return 'hello'\n", "time": [1235, 1], "filename": ""},
]
WARMING: dict[str, Any] = {
    "id_slot": 0,
    "input_prefix": "",
    "input_suffix": "",
    "input_extra": CHUNKS,
    "prompt": "",
    "n_predict": 0,
    "temperature": 0.0,
    "samplers": [],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 1,
    "t_max_predict_ms": 1,
    "response_fields": [""],
}
TIMINGS = [f"timings/{kind}_{figure}" for kind in ("prompt", "predicted") for figure in ("n", "ms", "per_second")]


def vim_infill(text: str, offset: int) -> dict[str, Any]:
    """What llama.vim asks at a place of a file, with its chunks of other files."""
    body = llama_vim.infill(llama_vim.context(text, offset), t_max_predict_ms=250, seed=1)
    # It is the benchmark's.
    del body["seed"]
    return {
        **body,
        "input_extra": CHUNKS,
        "n_cmpl": 1,
        "response_fields": ["content", *TIMINGS, "truncated", "tokens_cached"],
    }


@pytest.fixture
async def other(engine: RunningEngine, token: str) -> Any:
    """Any program that has the token."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=engine.record.url, headers=headers, timeout=PATIENCE_S, trust_env=False
    ) as client:
        yield client


class TestLlamaVim:
    async def test_what_is_read_ahead_is_there_for_the_suggestion(self, other: httpx.AsyncClient) -> None:
        warmed = await other.post("/infill", json=WARMING)
        text = f"{HEAD}    return {TAIL}"
        answer = (await other.post("/infill", json=vim_infill(text, len(f"{HEAD}    return ")))).json()

        assert (warmed.status_code, warmed.json()) == (200, {})
        assert set(answer) == {"content", *TIMINGS, "truncated", "tokens_cached"}
        assert answer["content"].lstrip().startswith("a + b")
        assert answer["truncated"] is False
        # The chunks, of which only the first has some hundred tokens, are not read again.
        assert answer["tokens_cached"] > 100
        assert answer["timings/prompt_n"] < answer["tokens_cached"]

    async def test_the_next_key(self, other: httpx.AsyncClient) -> None:
        text = f"{HEAD}    return {TAIL}"
        await other.post("/infill", json=vim_infill(text, len(f"{HEAD}    return")))
        answer = (await other.post("/infill", json=vim_infill(text, len(f"{HEAD}    return ")))).json()

        assert answer["timings/prompt_n"] <= 8

    async def test_a_blank_line_is_written_anew(self, other: httpx.AsyncClient) -> None:
        """It sends the line's indentation neither before nor behind the cursor."""
        context = llama_vim.context(f"{HEAD}    {TAIL}", len(HEAD) + 4)
        answer = (await other.post("/infill", json=vim_infill(f"{HEAD}    {TAIL}", len(HEAD) + 4))).json()

        assert context.middle == ""
        assert answer["content"].startswith("    return a + b")

    async def test_an_instruction(self, other: httpx.AsyncClient) -> None:
        system = {"role": "system", "content": f"You edit code. Write only the code.\n--- SELECTION ---\n{HEAD}"}
        warming = {
            "id_slot": 7,
            "messages": [system, {"role": "user", "content": ""}],
            "samplers": [],
            "n_predict": 0,
            "stream": False,
            "stop": [],
            "cache_prompt": True,
            "response_fields": [""],
        }
        sending = {
            "id_slot": 7,
            "messages": [system, {"role": "user", "content": "INSTRUCTION: add a function that divides"}],
            "min_p": 0.1,
            "temperature": 0.1,
            "samplers": ["min_p", "temperature"],
            "stop": [],
            "stream": True,
            "cache_prompt": True,
        }
        assert (await other.post("/v1/chat/completions", json=warming)).status_code == 200
        async with other.stream("POST", "/v1/chat/completions", json=sending) as response:
            *messages, end = [message async for message in events(response)]

        assert end == "[DONE]"
        assert "def div" in "".join(message["choices"][0]["delta"].get("content", "") for message in messages)
        # The selection was read while the instruction was typed.
        assert messages[-1]["timings"]["cache_n"] > messages[-1]["timings"]["prompt_n"]


class TestLlamaVsCode:
    async def test_a_suggestion(self, other: httpx.AsyncClient) -> None:
        sampling = {"top_k": 40, "top_p": 0.99, "samplers": ["top_k", "top_p", "infill"]}
        limits = {"t_max_prompt_ms": 500, "t_max_predict_ms": 2500}
        asked = {"input_prefix": HEAD, "input_suffix": TAIL, "input_extra": CHUNKS, "prompt": "    return "}
        warming = {key: WARMING[key] for key in ("input_prefix", "input_suffix", "input_extra", "prompt")}
        warming |= {"n_predict": 0, "samplers": [], "cache_prompt": True, "t_max_prompt_ms": 500, "t_max_predict_ms": 1}

        assert (await other.post("/infill", json=warming)).json()["content"] == ""
        others = {"n_predict": 128, "stream": False, "cache_prompt": True, "n_indent": 4}
        body = {**asked, **others, **sampling, **limits}
        answer = (await other.post("/infill", json=body)).json()

        assert answer["content"].strip().startswith("a + b")
        assert answer["timings"]["predicted_per_second"] > 0

    async def test_an_edit(self, other: httpx.AsyncClient) -> None:
        body = {
            "messages": [
                {"role": "system", "content": "You are an expert coder."},
                {"role": "user", "content": "Answer with the word yes."},
            ],
            "stream": False,
            "cache_prompt": True,
            "samplers": "edkypmxt",
            "temperature": 0.0,
            "dynatemp_range": 0,
            "dynatemp_exponent": 1,
            "top_k": 40,
            "top_p": 0.95,
            "min_p": 0.05,
            "typical_p": 1,
            "xtc_probability": 0,
            "xtc_threshold": 0.1,
            "repeat_last_n": 64,
            "repeat_penalty": 1,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "dry_multiplier": 0,
            "dry_base": 1.75,
            "dry_allowed_length": 2,
            "dry_penalty_last_n": -1,
            "max_tokens": -1,
            "timings_per_token": False,
        }
        answer = (await other.post("/v1/chat/completions", json=body)).json()

        assert "yes" in answer["choices"][0]["message"]["content"].lower()

    async def test_its_agent_is_told_that_there_are_no_tools(self, other: httpx.AsyncClient) -> None:
        body = {"messages": CAPITAL, "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"}
        answer = await other.post("/v1/chat/completions", json=body)

        assert (answer.status_code, answer.json()["error"]["message"]) == (400, "tools is not supported. Leave it out.")


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
class TestCurl:
    @staticmethod
    def curl(engine: RunningEngine, path: str, token: str, *options: str) -> str:
        """Its answer; the token goes in by the input, as the documentation has it."""
        done = subprocess.run(
            ["curl", "--silent", "--noproxy", "*", "-H", "@-", f"{engine.record.url}{path}", *options],  # noqa: S607
            input=f"Authorization: Bearer {token}\n",
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        return done.stdout

    def test_a_hole(self, engine: RunningEngine, token: str) -> None:
        body = {"input_prefix": f"{HEAD}    return ", "input_suffix": TAIL, "n_predict": 8}
        assert "a + b" in json.loads(self.curl(engine, "/infill", token, "-d", json.dumps(body)))["content"]

    def test_a_conversation_that_is_laid_out_and_gone_on_with(self, engine: RunningEngine, token: str) -> None:
        laid_out = self.curl(engine, "/apply-template", token, "-d", json.dumps({"messages": CAPITAL}))
        body = {"prompt": json.loads(laid_out)["prompt"], "n_predict": 12, "temperature": 0}
        answer = json.loads(self.curl(engine, "/completion", token, "-d", json.dumps(body)))
        chat = self.curl(engine, "/chat/completions", token, "-d", json.dumps({"messages": CAPITAL, "max_tokens": 12}))

        assert "Paris" in answer["content"]
        assert answer["stop_type"] == "eos"
        # The same tokens.
        assert answer["tokens_evaluated"] == json.loads(chat)["usage"]["prompt_tokens"]

    def test_tokens_and_back(self, engine: RunningEngine, token: str) -> None:
        text = "naïve 🦀 <|im_end|>"
        asked = json.dumps({"content": text, "with_pieces": True, "parse_special": True})
        tokens = json.loads(self.curl(engine, "/tokenize", token, "-d", asked))["tokens"]
        ids = [token["id"] for token in tokens]

        assert tokens[-1]["piece"] == "<|im_end|>"
        assert json.loads(self.curl(engine, "/detokenize", token, "-d", json.dumps({"tokens": ids}))) == {
            "content": text
        }
        body = {"prompt": ids, "n_predict": 0}
        assert json.loads(self.curl(engine, "/completion", token, "-d", json.dumps(body)))["tokens_evaluated"] == len(
            ids
        )

    def test_a_stream(self, engine: RunningEngine, token: str) -> None:
        body = {"prompt": "One, two, three, four,", "n_predict": 6, "stop": [" seven"], "stream": True}
        lines = self.curl(engine, "/completion", token, "-N", "-d", json.dumps(body)).split("\n\n")
        messages = [json.loads(line.removeprefix("data: ")) for line in lines if line]

        assert "".join(message["content"] for message in messages) == " five, six,"
        assert [message["stop"] for message in messages] == [False] * (len(messages) - 1) + [True]
        assert (messages[-1]["stop_type"], messages[-1]["stopping_word"]) == ("word", " seven")

    def test_another_token(self, engine: RunningEngine, token: str) -> None:
        assert json.loads(self.curl(engine, "/models", f"{token}x"))["error"]["type"] == "authentication_error"
