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
import json, sys
from pathlib import Path
from inference_workers.moderators.nudenet import NudeNetModerator

def kilobytes(name):  # of this program alone: getrusage counts what the process held before it became this program
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

moderator, beats = NudeNetModerator(), []
rest = kilobytes("VmRSS")
moderator.score(Path(sys.argv[1]).read_bytes(), lambda: beats.append(None))
print(json.dumps({"megabytes": (kilobytes("VmHWM") - rest) / 1024, "beats": len(beats)}))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what Linux says of memory")
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
