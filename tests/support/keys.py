"""Keys that look like those of services, made up when they are wanted: written down they would set off alarms."""

from __future__ import annotations

import base64
import random
import string

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def made_up(length: int, alphabet: str = ALNUM, seed: int = 7) -> str:
    """Characters by chance, always the same."""
    chance = random.Random(f"{seed} {length} {alphabet}")  # noqa: S311 - no secret, on purpose
    return "".join(chance.choice(alphabet) for _ in range(length))


def private_key(kind: str = "RSA ", lines: int = 26) -> str:
    """A private key as a file has it."""
    data = base64.b64encode(random.Random(lines).randbytes(48 * lines - 20)).decode()  # noqa: S311 - no secret either
    body = "\n".join(data[at : at + 64] for at in range(0, len(data), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----\n"


TOKENS = {
    "AWS": "AKIA" + made_up(16, string.ascii_uppercase + "234567"),
    "GitHub": "ghp_" + made_up(36),
    "GitHub, fine-grained": f"github_pat_{made_up(22)}_{made_up(59)}",
    "GitLab": "glpat-" + made_up(20),
    "Slack": f"xoxb-{made_up(12, string.digits)}-{made_up(12, string.digits)}-{made_up(24)}",
    "Slack's hook": f"hooks.slack.com/services/T{made_up(9, string.digits)}/B{made_up(9, string.digits)}/{made_up(24)}",
    "Stripe": "sk_live_" + made_up(24),
    "OpenAI": "sk-proj-" + made_up(48),
    "OpenAI, old": "sk-" + made_up(48),
    "Anthropic": f"sk-ant-api03-{made_up(93)}-{made_up(6)}AA",
    "Hugging Face": "hf_" + made_up(34),
    "Google": "AIza" + made_up(35),
    "npm": "npm_" + made_up(36),
    "PyPI": "pypi-AgEIcHlwaS5vcmc" + made_up(120),
    "SendGrid": f"SG.{made_up(22)}.{made_up(43)}",
    "DigitalOcean": "dop_v1_" + made_up(64, HEX),
    "JWT": f"eyJ{made_up(33)}.eyJ{made_up(60)}.{made_up(43)}",
}
