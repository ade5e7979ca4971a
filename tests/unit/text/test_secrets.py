from __future__ import annotations

import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.text.secrets import MASK, masked
from tests.support.editor import REPOSITORY
from tests.support.keys import HEX, TOKENS, made_up, private_key

VALUE = made_up(24)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
@pytest.mark.parametrize("around", ["x = '{}'", "{}", "https://a:{}@b.example", "# see {}, or not", "run --key={}\n"])
def test_what_services_give_out_is_masked(token: str, around: str) -> None:
    assert masked(around.format(token)) == around.format(MASK)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
def test_a_part_of_a_name_is_no_token(token: str) -> None:
    assert masked(f"x{token}") == f"x{token}"


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_masked(kind: str) -> None:
    key = private_key(kind)
    masked_key = f"-----BEGIN {kind}PRIVATE KEY-----{MASK}-----END {kind}PRIVATE KEY-----\n"

    assert masked(f"KEY = '''\n{key}'''\n") == f"KEY = '''\n{masked_key}'''\n"
    escaped, masked_escaped = (text.replace("\n", "\\n") for text in (key, masked_key))
    assert masked(f'"private_key": "{escaped}"') == f'"private_key": "{masked_escaped}"'


@pytest.mark.parametrize("head", ["Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,A1B2C3D4\n\n"])
def test_a_private_key_with_a_head_is_masked(head: str) -> None:
    begin, rest = private_key().split("\n", 1)

    assert masked(f"{begin}\n{head}{rest}").count("\n") == 1


@pytest.mark.parametrize(("first", "last"), [(0, 9), (5, 12), (20, 99)], ids=["begin", "middle", "end"])
def test_a_piece_of_a_private_key_is_masked(first: int, last: int) -> None:
    lines = private_key().splitlines()[first:last]

    shown = masked("a = 1\n" + "\n".join(lines) + "\nb = 2\n")

    assert not [line for line in lines if len(line) == 64 and "-" not in line and line in shown]
    assert shown.startswith("a = 1\n")
    assert shown.endswith("b = 2\n")


def test_code_that_looks_for_a_key_is_left_alone() -> None:
    code = (
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:\n'
        "    raise ValueError(path)\n"
        'end = text.index("-----END RSA PRIVATE KEY-----")\n'
    )
    assert masked(code) == code


@pytest.mark.parametrize(
    "code",
    [
        "DB_PASSWORD = '{}'",
        'password="{}", user="me"',
        '"apiKey": "{}",',
        "os.environ['MY_TOKEN'] = '{}'",
        'secret_key: str = "{}"',
        "const accessKey = `{}`;",
        'api_key := "{}"',
        "  'client_secret' => '{}',",
        'String authToken = "{}";',
        "export API_TOKEN={}",
        "password: {}",
        "token = b'{}'",
        "postgres://me:{}@db.example/shop",
    ],
)
@pytest.mark.parametrize("value", [VALUE, made_up(40, HEX), "k3Y9z8Q1wPq7Zr5tUv2X"])
def test_a_value_by_chance_of_what_is_called_secret_is_masked(code: str, value: str) -> None:
    assert masked(code.format(value)) == code.format(MASK)


@pytest.mark.parametrize(
    "code",
    [
        "password = 'correct horse battery staple'",
        "password = 'changeme'",
        "token = 'oauth2_access_token'",
        "secret_name = 'projects/my-project-1/secrets/db-2/versions/3'",
        "token = user.oauth2_token",
        "TOKEN_URL = 'https://auth.example/v1/token2/oauth2'",
        "token_type: str = 'Bearer'",
        "self.token = make_token(user, 12)",
        "password = os.environ['DB_PASSWORD_1']",
        "API_KEY_HEADER = 'X-Api-Key-V2'",
        f"digest = '{made_up(64, HEX)}'",
        f"sha256 = '{made_up(64, HEX)}'",
        "class='sk-estimator-doc-link sk-toggleable__label-arrow'",
        "url = 'https://example.com:8080/a1b2c3@v2'",
        "print(f'token={token}')",
        "hf_hub_download(repo_id='a/b')",
    ],
)
def test_code_is_left_alone(code: str) -> None:
    assert masked(code) == code


def test_no_file_of_ours_or_of_python_s_own_has_secrets() -> None:
    folders = [REPOSITORY / "lsp_server", *(Path(sysconfig.get_path("stdlib")) / name for name in ("http", "email"))]
    files = [path for folder in folders for path in folder.rglob("*.py")]

    assert len(files) > 200
    assert [path for path in files if masked(text := path.read_text("utf-8")) != text] == []


@given(
    st.lists(st.one_of(st.sampled_from(["token = '", "'", "\n", "password=", *TOKENS.values()]), st.text()), max_size=6)
)
def test_masked_twice_is_masked_once(parts: list[str]) -> None:
    once = masked("".join(parts))

    assert masked(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n" + "A" * 64 + "\n",
        "eyJaaaaaaaaaaaa-",
        "eyJaaaaaaaaaaaa.",
        "sk-",
        "xapp-1-a-1-",
        "token=",
        "token: a",
        "token \t",
        "://a:",
        "+" * 64 + "\n",
        "A1b2" * 16 + "\n",
        "password = 'a1b2",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    before = time.process_time()

    masked(text)

    # Of its own time on the processor it takes a tenth of a second; a pattern that goes back and forth takes minutes.
    assert time.process_time() - before < 30
