# ruff: noqa: N818 "except CandidateTimedOut" reads better than with a suffix
"""What can go wrong when a program runs: the candidate's fault, or the sandbox's."""


class SandboxError(Exception):
    """The sandbox itself is broken (cannot start, lost its server): never the candidate's fault, so retry."""


class PreloadError(SandboxError):
    """A module that candidates should find imported is not installed here: the list has to change, or the machine."""


class CandidateError(Exception):
    """The candidate failed. `kind` is a stable word for logs, `detail` is untrusted text of bounded length."""

    kind = "exception"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class CandidateSyntaxError(CandidateError):
    """The text does not parse, or uses something outside its language."""

    kind = "syntax"


class CandidateRaised(CandidateError):
    """The program raised; `detail` ends with its traceback."""

    kind = "exception"


class CandidateCrashed(CandidateError):
    """The process ended without an answer (exit, signal, broken pipe)."""

    kind = "crash"


class CandidateTimedOut(CandidateError):
    """The wall limit was exceeded; the process and all it started were killed."""

    kind = "timeout"


class CandidateOutOfCpu(CandidateError):
    """The limit of CPU seconds was exceeded."""

    kind = "cpu"


class CandidateOutOfMemory(CandidateError):
    """The memory limit was exceeded."""

    kind = "memory"


class CandidateOutputLimit(CandidateError):
    """The program printed or returned more bytes than allowed."""

    kind = "output"


class CandidateProcessLimit(CandidateError):
    """The program wanted more threads or processes than allowed."""

    kind = "processes"


class CandidateFileLimit(CandidateError):
    """The program wanted more open files than allowed."""

    kind = "files"


class CandidateDiskLimit(CandidateError):
    """The program wrote more than its scratch folder may hold."""

    kind = "disk"


class CandidateOutOfGpuMemory(CandidateError):
    """The limit of GPU memory was exceeded."""

    kind = "gpu_memory"


class CandidateForbidden(CandidateError):
    """The program made a system call that only an attack makes; the kernel ended it."""

    kind = "forbidden"


class CandidateResultInvalid(CandidateError):
    """The answer is not plain finite data of the allowed size and depth."""

    kind = "invalid"


class CandidateNotFinite(CandidateResultInvalid):
    """The answer holds NaN or infinity."""

    kind = "not_finite"
