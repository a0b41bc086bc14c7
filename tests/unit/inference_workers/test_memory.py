"""What a picture at the limits costs a worker, measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from scripts.stack.places import ROOT

MEGABYTES = 700
SCORE = """
import json, resource, sys
from pathlib import Path
from inference_workers.moderators.nudenet import NudeNetModerator

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

moderator, beats = NudeNetModerator(), []
rest = held()
moderator.score(Path(sys.argv[1]).read_bytes(), lambda: beats.append(held()))
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"megabytes": (most - rest) / 2**20, "beats": len(beats)}))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads what Linux says of memory")
def test_moderation_of_a_picture_at_the_limits_stays_within_its_memory(tmp_path: Path) -> None:
    """88 kB of one half-transparent colour once took 9.6 GB."""
    file = tmp_path / "large.png"
    Image.new("RGBA", (4472, 4472), (200, 30, 30, 128)).save(file)
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(file)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    told = json.loads(done.stdout)
    assert told["megabytes"] < MEGABYTES
    assert told["beats"] > 25
