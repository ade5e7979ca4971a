"""``python -m tools.release``: see the package."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from
from tools import generate, pythons
from tools.bootstrap import DEMO_MODEL
from tools.editors.fetching import NotHereError, cache_folder
from tools.lock import PYTHONS
from tools.progress import Steps
from tools.release import source, versioning
from tools.release.archives import SUMS, different, sums
from tools.release.building import build
from tools.release.errors import ReleaseError
from tools.release.trying import Release, Trial, try_out

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Returns 0, or 1 where something is in the way or does not work."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Make a release.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("version", help="write a version, the generated files and the changelog")
    command.add_argument("version")
    command.set_defaults(run=lambda options: prepare(options.version))
    command = commands.add_parser("build", help="build everything twice, compare, and try it")
    command.add_argument("--draft", action="store_true", help="from a checkout as it is, committed or not")
    command.add_argument("--python", dest="pythons", action="append", choices=PYTHONS, help="try it on this one only")
    command.add_argument("--tests", action="append", metavar="PATH", help="run only these of its tests (tests/unit)")
    command.set_defaults(
        run=lambda options: make(
            draft=options.draft, wanted=tuple(options.pythons or PYTHONS), tests=options.tests or ["tests/unit"]
        )
    )
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ReleaseError, NotHereError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"\n{error} {(error.stderr or '').strip()}", file=sys.stderr)
        return 1
    return 0


def prepare(version: str) -> None:
    """Write what names the version, and collect the fragments; nothing is committed."""
    versioning.changelog(ROOT, version, draft=True)  # it fails here, if it does, with nothing written
    versioning.write(ROOT, version)
    subprocess.run([sys.executable, "tools/generate.py"], cwd=ROOT, check=True)
    versioning.changelog(ROOT, version, draft=False)
    print(f"This is {version} now. Look at CHANGELOG.md, commit, tag v{version}, and run: make release")


def make(*, draft: bool, wanted: tuple[str, ...], tests: list[str]) -> None:
    """Build a release into ``dist/``, and try it."""
    version = versioning.read(ROOT)
    if (changed := source.uncommitted(ROOT)) and not draft:
        raise ReleaseError(
            f"{len(changed)} files are not as they were committed, {changed[0]} for one. Commit them, or look how it"
            " goes with a draft: make release DRAFT=1"
        )
    if stale := generate.out_of_date(ROOT, generate.GENERATED):
        raise ReleaseError(f"{next(iter(stale))} is out of date: run make format.")
    work = ROOT / "build" / "release"
    shutil.rmtree(work, ignore_errors=True)
    found = pythons.find(wanted)
    steps = Steps(3 + len(wanted), sys.stdout)

    steps.begin(f"Shardlight {version} from {source.commit(ROOT)[:12]}{' and what is not committed' * bool(changed)}")
    first, second = work / "one" / "shardlight", work / "another" / "folder"
    source.export(ROOT, first)
    shutil.copytree(first, second)
    (work / "notes.md").write_text(versioning.changelog(ROOT, version, draft=True), encoding="utf-8")

    steps.begin("Built twice, and compared")
    built = work / "built"
    for folder, out in ((first, built), (second, work / "built-again")):
        build(folder, out, version, source.epoch(ROOT), cache_folder("editors"))
    if differing := different(built, work / "built-again"):
        raise ReleaseError(f"Two builds from the same files differ in {', '.join(differing)}; they are in {work}.")
    steps.end()

    steps.begin("dist/")
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    text = sums(built.iterdir())
    shutil.copytree(built, dist)
    (dist / SUMS).write_text(text, encoding="utf-8")
    print(text, end="")

    trial = Trial(Release(dist, version), cache_folder("release"), _small_model(), tests, sys.stdout)
    for number in wanted:
        steps.begin(f"Python {number}")
        if number not in found:
            steps.say("not here, so NOT tried")
            continue
        try_out(trial, found[number], work / f"python-{number}")
        steps.end()


def _small_model() -> Path | None:
    """The small model, where `make test` has fetched it."""
    store = store_from("", registry_mirror=False)
    installed = store.find(parse_ref(DEMO_MODEL, store.catalog))
    return installed.path if installed else None


if __name__ == "__main__":
    sys.exit(main())
