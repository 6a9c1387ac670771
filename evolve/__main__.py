"""The command line's entry: `evolve` and `python -m evolve`. Every error ends here, as a message and an exit code."""

import errno
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import IO

import click

from evolve.cli.conduct import fall_silent
from evolve.cli.terminal import clean
from evolve.errors import EXIT_ENVIRONMENT, EXIT_FINISHED, EXIT_INTERNAL, EXIT_USAGE, EvolveError

_NAME = "evolve"
_COMPLETION = "_EVOLVE_COMPLETE"
_OUTPUT_LOST = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO}
_REPORT = "this is a bug in evolve: please report it with the text above and the command that you gave"
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE
EXIT_INTERRUPTED = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code (the table is in `evolve --help`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    try:
        code = _guarded(given)
        sys.stdout.flush()
    except BrokenPipeError:
        fall_silent()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        fall_silent()
        return _failed(f"cannot write the output: {error.strerror}", EXIT_ENVIRONMENT, [])
    return code


def _never_fail_to_encode(stream: IO[str]) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _guarded(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except EvolveError as error:
        return _failed(error.message, error.exit_code, arguments, hint=error.hint)
    except click.ClickException as error:
        return _misused(error, arguments)
    except (click.Abort, KeyboardInterrupt):
        return _failed("interrupted", EXIT_INTERRUPTED, arguments)
    except OSError as error:
        if error.errno in _OUTPUT_LOST:
            raise
        return _broken(error, arguments)
    except Exception as error:  # noqa: BLE001 (the last place where an error can become a message)
        return _broken(error, arguments)


def _run(arguments: list[str]) -> int:
    from evolve.cli.app import cli  # most of a start: a Ctrl-C in it ends like one anywhere else

    if _COMPLETION in os.environ:
        cli.main(args=arguments, prog_name=_NAME)
    try:
        with cli.make_context(_NAME, arguments) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    return EXIT_FINISHED


def _misused(error: click.ClickException, arguments: list[str]) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    hint = "" if context is None else f"help: {context.command_path} --help"
    return _failed(error.format_message(), EXIT_USAGE, arguments, hint=hint)


def _broken(error: Exception, arguments: list[str]) -> int:
    import traceback

    click.echo(clean("".join(traceback.format_exception(error))), err=True, nl=False)
    return _failed(f"{type(error).__name__}: {error}", EXIT_INTERNAL, arguments, hint=_REPORT)


def _failed(message: str, code: int, arguments: list[str], *, hint: str = "") -> int:
    text = f"{message}\n{hint}" if hint else message
    click.echo(clean(f"error: {text}"), err=True)
    if "--json" in arguments:
        document = {"schema": "evolve.error/1", "error": message, "hint": hint, "exit_code": code}
        click.echo(json.dumps(document))
    return code


if __name__ == "__main__":
    sys.exit(main())
