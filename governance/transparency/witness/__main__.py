"""`python -m governance.transparency.witness`: run a witness.

It prints its verifier key, for the log's operator, and then serves until SIGTERM or Ctrl-C. Exit code 2 means that it
could not start; a message says why.
"""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from governance.kernel.errors import GovernanceError
from governance.transparency.witness.judge import Judge
from governance.transparency.witness.logs import WatchedLogs
from governance.transparency.witness.memory import open_memory
from governance.transparency.witness.server import WitnessServer

CANNOT_BEGIN = 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m governance.transparency.witness", description="Cosign transparency logs."
    )
    made.add_argument("--name", required=True, help="the witness's name, such as witness.example/w1; for ever")
    made.add_argument("--state", required=True, type=Path, metavar="DIR", help="its key and memory; made when missing")
    made.add_argument("--listen", type=_address, metavar="HOST:PORT", help="where to serve; port 0 is any free one")
    made.add_argument("--log", action="append", default=[], metavar="VKEY", help="a log's verifier key; any number")
    made.add_argument("--logs", type=Path, metavar="FILE", help="more of them, one a line; read again at every request")
    made.add_argument("--print-key", action="store_true", help="print the verifier key and end")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program and return its exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if not options.print_key and options.listen is None:
        parser().error("--listen HOST:PORT is needed to serve")
    try:
        logs = WatchedLogs(options.log, path=options.logs)
        logs.keys_of("")  # report an unreadable list now, not at the first checkpoint
        with open_memory(options.state, name=options.name) as memory:
            return _run(Judge(memory, logs.keys_of), None if options.print_key else options.listen)
    except (GovernanceError, OSError) as error:
        sys.stderr.write(f"The witness cannot begin: {error}\n")
        return CANNOT_BEGIN


def _run(judge: Judge, address: tuple[str, int] | None) -> int:
    _say(judge.key.vkey)
    if address is None:
        return 0
    with WitnessServer(address, judge) as server:
        _say("listening on {}:{}".format(*server.server_address[:2]))
        _serve(server)
    return 0


def _serve(server: WitnessServer) -> None:
    """Serve until a signal ends it. A request that is cut off loses nothing: it is answered when it is sent again."""

    def stop(number: int, frame: FrameType | None) -> None:
        # `shutdown` waits for the loop that this very thread is in.
        threading.Thread(target=server.shutdown).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main())
