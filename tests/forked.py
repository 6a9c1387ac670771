"""Runs a function in a forked child, which can change itself as it likes."""

import json
import os
import traceback
from collections.abc import Callable
from typing import Any


def in_child(action: Callable[[], Any]) -> Any:
    """What an action returns in a forked process that ends with it; plain data only.

    Raises:
        AssertionError: it raised; the text has its traceback.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            said = json.dumps({"value": action()})
        except BaseException:  # noqa: BLE001 whatever it is, the test has to see it
            said = json.dumps({"raised": traceback.format_exc()})
        with os.fdopen(writing, "w") as file:
            file.write(said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(pid, 0)
    assert text, "the child died and said nothing"
    answer = json.loads(text)
    assert "raised" not in answer, answer["raised"]
    return answer["value"]
