"""What an installed Shardlight has to be able to do, tried from outside: by its program and over the protocol."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools.demo.editor import Editor
from tools.release.errors import ReleaseError

_HOLE = '''def mean(values: list[float]) -> float:
    """Return the arithmetic mean; 0 for no values."""
    if not values:
        return 0.0
    return '''
_PATIENCE_S = 600.0
# It is in the catalog and on hardly any machine; its blueprint is shipped.
_ABSENT_MODEL = "qwen2.5-coder-7b"


class SmokeError(ReleaseError):
    """An installed Shardlight does not do what it should; says what."""


def smoke(shardlight: Path, version: str, model: Path | None) -> list[str]:
    """Try an installed program in a home of its own; what was seen, a line each.

    Args:
        shardlight: the program.
        version: what it should say that it is.
        model: a model's file; without one, what needs one is left out, and that is said.

    Raises:
        SmokeError: something did not work.
    """
    # Not in build/, which git ignores: there is no suggestion in files that are ignored.
    with tempfile.TemporaryDirectory(prefix="shardlight-", ignore_cleanup_errors=True) as folder:
        return _smoke(shardlight, version, model, Path(folder))


def _smoke(shardlight: Path, version: str, model: Path | None, folder: Path) -> list[str]:
    environ = surroundings(os.environ, folder / "home", model)
    seen = []
    said = _run(shardlight, "--version", environ=environ, folder=folder).strip()
    if said != f"shardlight {version}":
        raise SmokeError(f"--version: {said}, not shardlight {version}")
    seen.append(said)
    plan = json.loads(_run(shardlight, "plan", _ABSENT_MODEL, "--json", environ=environ, folder=folder))
    seen.append(f"plan {_ABSENT_MODEL}: {plan['predicted']['decode_tokens_per_s']:.3g} tokens/s predicted")
    # The verdict is the report's: its status is 1, too, where only a model is missing.
    report = json.loads(_run(shardlight, "doctor", "--json", environ=environ, folder=folder, allowed=(0, 1)))
    failed = {check["name"]: check["detail"] for check in report["checks"] if check["status"] == "failed"}
    expected = set() if model else {name for name in failed if name.endswith("model") or name == "engine"}
    if failed.keys() - expected:
        raise SmokeError("doctor: " + "; ".join(f"{name}: {detail}" for name, detail in failed.items()))
    without = f" but {', '.join(sorted(expected))}, since there is no model here" if expected else ""
    seen.append(f"doctor: {len(report['checks'])} checks, none failed{without}")
    try:
        seen.append(asyncio.run(_session(shardlight, environ, model, folder)))
    finally:
        _run(shardlight, "engine", "stop", environ=environ, folder=folder)
    return seen


def surroundings(environ: Mapping[str, str], home: Path, model: Path | None) -> dict[str, str]:
    """An environment in which nobody has used Shardlight or Python before."""
    ours = ("SHARDLIGHT_", "PYTHON", "VIRTUAL_ENV", "XDG_", "HF_")
    clean = {name: value for name, value in environ.items() if not name.startswith(ours)}
    home.mkdir(parents=True)
    folders = {"CONFIG": "config", "STATE": "state", "CACHE": "cache", "DATA": "data"}
    clean |= {f"XDG_{name}_HOME": str(home / folder) for name, folder in folders.items()}
    clean |= {"HOME": str(home), "USERPROFILE": str(home)}
    if model:
        clean |= {f"SHARDLIGHT_MODELS__{role}": str(model) for role in ("COMPLETION", "ASSISTANT")}
    return clean


async def _session(shardlight: Path, environ: Mapping[str, str], model: Path | None, folder: Path) -> str:
    """An editor opens a file and asks for a suggestion."""
    workspace = folder / "workspace"
    workspace.mkdir()
    (workspace / "mean.py").write_text(_HOLE, encoding="utf-8")
    editor = Editor(workspace, {}, lambda _text, _percent: None, server=(str(shardlight), "serve"), environ=environ)
    try:
        return await asyncio.wait_for(_suggestion(editor, model), _PATIENCE_S)
    except asyncio.TimeoutError as error:
        said = "; ".join(editor.messages) or editor.last_words()
        raise SmokeError(f"serve: no answer within {_PATIENCE_S:.0f} s ({said})") from error
    finally:
        await editor.close()


async def _suggestion(editor: Editor, model: Path | None) -> str:
    await editor.start()
    document = editor.open("mean.py")
    status = await editor.command("shardlight.status")
    if model is None:
        return f"serve: version {status['version']}; no suggestion was asked for, since there is no model here"
    # While the model is loaded, a suggestion may be none.
    while (found := await editor.suggestion(document, len(_HOLE))) is None:
        if editor.gone:
            raise SmokeError(f"serve: the server has ended: {editor.last_words()}")
        await asyncio.sleep(0.5)
    suggestion = found[0].strip()
    if "values" not in suggestion:
        raise SmokeError(f"serve: {suggestion!r} is no suggestion for a mean of values")
    return f"serve: version {status['version']}; suggested {suggestion!r}"


def _run(program: Path, *words: str, environ: Mapping[str, str], folder: Path, allowed: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        [program, *words],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in allowed:
        said = (done.stderr or done.stdout).strip()[-400:]
        raise SmokeError(f"{' '.join(words)} ended with {done.returncode}: {said}")
    return done.stdout
