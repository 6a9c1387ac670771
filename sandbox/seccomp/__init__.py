"""The system-call filter: what a candidate may ask of the kernel, decided call by call.

A filter sees a call's number and its arguments as numbers; what an argument points to stays hidden from it. So calls
are chosen such that no decision hangs on a text or a structure in the caller's memory.
"""

from sandbox.seccomp.kernel import install, is_supported
from sandbox.seccomp.policy import Profile
from sandbox.seccomp.program import build_filter

__all__ = ["Profile", "build_filter", "install", "is_supported"]
