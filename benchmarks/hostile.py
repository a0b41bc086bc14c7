"""Uploads hostile and odd files of every kind to a running stack, runs what is accepted, and watches what it costs.

Prints a table by kind and, last, the figures as one line of JSON. Exits with 1 where a request made a server error, a
job had no end, or moderation denied a harmless photograph.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from PIL import Image

from benchmarks.hostile_run import Outcome, Report, run_files, watched
from benchmarks.photographs import photographs
from scripts.demo.client import PartnerApp
from scripts.stack.stack import Stack
from tests.factories.hostile import OddFile, corpus, short_corpus

PHOTOGRAPHS = 40
PHOTOGRAPH_EDGE = 640


def main() -> int:
    """Run the corpus at a stack of its own and print what happened."""
    options = _options()
    files = [file for file in _files(short=options.short) if options.kind in file.kind]
    with tempfile.TemporaryDirectory(prefix="assent-hostile-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with Stack(home / "stack", seed=("seed_demo",)) as stack:
            report = run_at(stack, files)
    print(table(report.outcomes))
    print(json.dumps(report.figures()))
    return 1 if report.failed else 0


def run_at(stack: Stack, files: Sequence[OddFile]) -> Report:
    """Upload and run `files` at a seeded stack, and return what happened."""
    access = json.loads((stack.data_dir / "data" / "access.json").read_text(encoding="utf-8"))
    app = PartnerApp(stack.web_url, access["client_id"], access["client_secret"])
    app.authenticate()
    try:
        with watched(stack, app) as watch:
            outcomes = run_files(app, files, watch)
    finally:
        app.session.close()
    return Report(outcomes, watch.seen())


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a line for each kind of file: what became of them, and what the costliest took."""
    lines = [f"{'kind':<14} {'files':>5} {'taken':>5} {'refused':>7} {'ends':<40} {'web s':>6} {'job s':>6} {'MB':>5}"]
    for kind in dict.fromkeys(each.kind for each in outcomes):
        those = [each for each in outcomes if each.kind == kind]
        taken = [each for each in those if each.accepted]
        ends = sorted({each.end: sum(other.end == each.end for other in taken) for each in taken}.items())
        lines.append(
            f"{kind:<14} {len(those):>5} {len(taken):>5} {len(those) - len(taken):>7} "
            f"{', '.join(f'{count} {end}' for end, count in ends):<40} {max(each.web_seconds for each in those):>6.2f} "
            f"{max(each.job_seconds for each in those):>6.2f} {max(each.worker_mb for each in those):>5.0f}"
        )
    return "\n".join(lines)


def _files(*, short: bool) -> list[OddFile]:
    return short_corpus() if short else corpus(_photographs())


def _photographs() -> Iterator[tuple[str, Image.Image]]:
    for photograph in islice(photographs(), PHOTOGRAPHS):
        picture = photograph.picture
        picture.thumbnail((PHOTOGRAPH_EDGE, PHOTOGRAPH_EDGE))
        yield photograph.name, picture


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-hostile", description=__doc__)
    parser.add_argument("--short", action="store_true", help="only the small files that the tests run")
    parser.add_argument("--kind", default="", help="only kinds with this in their name")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
