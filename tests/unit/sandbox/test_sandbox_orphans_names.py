import os
import signal
import subprocess
import sys

from sandbox.orphans import sweep

NAMED = """
import ctypes, time
ctypes.CDLL(None).prctl(15, b"\\xff\\xfe", 0, 0, 0)
print("named", flush=True)
time.sleep(600)
"""


def test_a_process_may_call_itself_anything_and_the_sweep_goes_on() -> None:
    environment = {**os.environ, "TOKEN": "of-a-server"}
    with subprocess.Popen([sys.executable, "-c", NAMED], stdout=subprocess.PIPE, env=environment) as named:
        assert named.stdout is not None
        assert named.stdout.readline() == b"named\n"

        assert sweep("no-token-of-anybody", range(0)) == 0
        assert sweep("of-a-server", range(0)) == 1

        assert named.wait() == -signal.SIGKILL
