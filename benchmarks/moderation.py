"""What the moderator says of every photograph in the installed packages, at five sizes and in three crops each.

None of them is unsafe. The threshold is the one of the rules under `policies/`. Prints the highest scores and, last,
the figures as one line of JSON; exits with 1 when a harmless picture would be denied.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass

import yaml

from benchmarks.photographs import file_of, photographs, variants
from inference_workers.moderators.nudenet import NudeNetModerator
from scripts.stack.places import ROOT

RULE = "moderation-output-unsafe"


@dataclass(frozen=True, order=True, slots=True)
class Scored:
    """One variant of a photograph and how unsafe it looked."""

    score: float
    photograph: str
    variant: str


def main() -> int:
    """Score everything and say what was found."""
    options = _options()
    started, threshold = time.monotonic(), unsafe_from()
    moderator = NudeNetModerator()
    scored: list[Scored] = []
    names: set[str] = set()
    for photograph in photographs():
        if options.only and options.only not in photograph.name:
            continue
        names.add(photograph.name)
        for name, picture in variants(photograph.picture):
            scored.append(Scored(moderator.score(file_of(picture)).score, photograph.name, name))
        print(f"{max(each.score for each in scored if each.photograph == photograph.name):.2f} {photograph.name}")
        sys.stdout.flush()
    scored.sort(reverse=True)
    print(f"\n{'score':>6}  the highest of {len(scored)}, unsafe from {threshold} on")
    for each in scored[: options.show]:
        print(f"{each.score:>6.3f}  {each.photograph}, {each.variant}")
    denials = sum(each.score >= threshold for each in scored)
    figures = {
        "bench": "moderation",
        "photographs": len(names),
        "pictures": len(scored),
        "threshold": threshold,
        "highest": scored[0].score,
        "false_denials": denials,
        "seconds": round(time.monotonic() - started),
    }
    print(json.dumps(figures))
    return 1 if denials else 0


def unsafe_from() -> float:
    """Return the score from which the shipped rules deny a release."""
    rules = yaml.safe_load((ROOT / "policies" / "rules" / "release.yaml").read_text(encoding="utf-8"))["rules"]
    return float(next(rule["condition"]["value"] for rule in rules if rule["id"] == RULE))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-moderation", description=__doc__)
    parser.add_argument("--only", default="", help="only photographs with this in their name")
    parser.add_argument("--show", type=int, default=20, help="how many of the highest scores are shown")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
