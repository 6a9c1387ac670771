"""What `evolve` raises, and the exit code that the command line gives for each.

A candidate that crashes or cheats is never one of these: it is an `Evaluation` with a `Failure`.
"""

EXIT_FINISHED = 0
EXIT_INTERNAL = 1
EXIT_USAGE = 2
EXIT_SEED = 3
EXIT_MODEL = 4
EXIT_ENVIRONMENT = 5
EXIT_TARGET_NOT_REACHED = 6
EXIT_RESUMABLE = 75


class EvolveError(Exception):
    """Base of all errors of this package. `hint` says what to do; `exit_code` is what the command ends with."""

    exit_code = EXIT_INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message, with the hint on its own line."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(EvolveError):
    """A wrong option, name or value was given: on the command line, in the environment or in a settings file."""

    exit_code = EXIT_USAGE


class ProblemError(EvolveError):
    """A problem folder is unknown or wrong; the message lists every mistake with its key."""

    exit_code = EXIT_USAGE


class SeedError(EvolveError):
    """The seed program cannot be scored, so evolution has nowhere to start."""

    exit_code = EXIT_SEED


class ModelUnusableError(EvolveError):
    """No language model can be used: the key is refused, the quota is spent, the name is unknown."""

    exit_code = EXIT_MODEL


class EvolveEnvironmentError(EvolveError):
    """The machine lacks something the run needs: a working sandbox, a writable folder, a GPU."""

    exit_code = EXIT_ENVIRONMENT


class ResumableError(EvolveError):
    """The run stopped for an outside reason (full disk, lost cluster); nothing is lost, `evolve resume` goes on."""

    exit_code = EXIT_RESUMABLE
