"""Candidates that several tests of sandboxes start."""

ECHO = "def echo(*values):\n    return values[0] if len(values) == 1 else values\n"
FORKING = """
import os, time
def family(n_children, leaves_group):
    pids = [os.getpid()]
    read, write = os.pipe()
    for _ in range(n_children):
        if os.fork() == 0:
            if leaves_group:
                os.setsid()
                child = os.fork()
                if child != 0:  # who has lost its parent may be killed before it can tell anything
                    os.write(write, b"%d " % child)
                    os._exit(0)
            else:
                os.write(write, b"%d " % os.getpid())
            time.sleep(600)
            os._exit(0)
    heard = b""
    while heard.count(b" ") < n_children:
        heard += os.read(read, 1000)
    return pids + [int(word) for word in heard.split()]
"""
LOOKING = """
import os, sys
def environment():
    at_start = "not to be seen"
    try:
        with open("/proc/self/environ", "rb") as file:
            at_start = file.read().decode()
    except OSError:
        pass
    return [" ".join(os.environ), " ".join(os.environ.values()), at_start]
def descriptors():
    found = []
    for number in range(3, 4096):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found
def folder():
    try:
        return os.listdir(".")
    except OSError:
        return []
def remember(value):
    sys.modules["math"].planted = value
def remembered():
    import math
    return getattr(math, "planted", None)
"""
