"""A stand-in for `evolve.executors.ray_driver` without Ray: it does what the address that it is to join says."""

import os
import sys
import time
from typing import Any

from evolve.executors.frames import encode
from evolve.executors.worker import claim_standard_streams, read_frame


def main(controller_pid: int) -> None:
    """Serve a controller in the manner of the address.

    `mute` never says that it is ready, `broken` ends before, `wrong` finds no cluster; `deaf` does not hear that it is
    to close, `silent` says nothing after the start, `mortal` ends when it is asked for something; any other answers
    each parcel with itself.
    """
    del controller_pid
    requests, answers = claim_standard_streams()
    opening = read_frame(requests) or {}
    manner = opening.get("address")

    def say(blob: bytes = b"", **message: Any) -> None:
        answers.write(encode({**message, "n_bytes": len(blob)}) + blob)
        answers.flush()

    if manner == "broken":
        sys.exit("something went wrong below")
    if manner == "mute":
        time.sleep(600)
    if manner == "wrong":
        say(say="failed", error="there is no cluster", hint="start one")
        return
    say(say="look", nodes=[{"id": "n", "name": "here", "cpus": 2, "gpus": 0.0}], posts=[])
    say(say="ready")
    while (message := read_frame(requests)) is not None and message["do"] != "close":
        parcel = requests.read(message["n_bytes"])
        if manner == "mortal":
            sys.stderr.write("it was too much\n")
            sys.stderr.flush()
            os._exit(1)
        if manner != "silent":
            say(parcel, say="landed", flight=message["flight"])
    if manner == "deaf":
        time.sleep(600)
