"""A process that runs hand-written Rego for another one: `python -m governance.engines.rego_child`.

regopy cannot be interrupted, so what may loop runs here, where the kernel ends it: SIGPROF when its processor time is
up, a failed allocation when its memory is. Messages are JSON behind their length (4 bytes, big-endian), on standard
input and output: `load` builds a module, `decide` asks it.
"""

import json
import resource
import signal
import sys
from collections.abc import Iterator
from typing import BinaryIO

from governance.engines.errors import EngineUnavailable, ProgramRejected
from governance.engines.rego_input import set_facts
from governance.engines.rego_programs import Shard, build_shard, shard_decision
from governance.engines.rego_writer import NotRepresentable

LENGTH_BYTES = 4
MEMORY_BYTES = 1024**3


def main(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    shards: dict[str, Shard] = {}
    for message in _messages(requests):
        answer = json.dumps(_answer(message, shards)).encode()
        answers.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        answers.flush()


def _messages(stream: BinaryIO) -> Iterator[dict[str, object]]:
    while head := stream.read(LENGTH_BYTES):
        yield json.loads(stream.read(int.from_bytes(head, "big")))


def _answer(message: dict[str, object], shards: dict[str, Shard]) -> dict[str, object]:
    signal.setitimer(signal.ITIMER_PROF, float(str(message["seconds"])))
    try:
        key = str(message["key"])
        if message["do"] == "load":
            shards[key] = build_shard(str(message["action"]), str(message["source"]), "")
            return {}
        facts = message["facts"]
        set_facts(shards[key].interpreter, facts if isinstance(facts, dict) else {})
        return {"document": shard_decision(shards[key])}
    except MemoryError:
        return {"memory": True}
    except ProgramRejected as rejected:
        return {"problems": [[each.module, each.line, each.message] for each in rejected.problems]}
    except (EngineUnavailable, NotRepresentable) as error:
        return {"error": str(error)}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
