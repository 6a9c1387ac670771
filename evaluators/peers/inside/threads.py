"""What stands for processes and for sockets in a place that has neither: threads, and pipes."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self


def install() -> None:
    """Let what `multiprocessing` offers be threads, and an event loop wake itself through a pipe."""
    import concurrent.futures
    import multiprocessing
    import multiprocessing.dummy as threads
    import socket

    for name in ("Process", "Queue", "JoinableQueue", "Manager", "Pipe", "Lock", "RLock", "Event", "Semaphore"):
        setattr(multiprocessing, name, getattr(threads, name))
    multiprocessing.SimpleQueue = threads.Queue  # type: ignore[misc,assignment]
    multiprocessing.Pool = ThreadPool  # type: ignore[assignment]
    multiprocessing.get_context = _same
    threads.DummyProcess.terminate = threads.DummyProcess.kill = _let_run  # type: ignore[attr-defined]
    concurrent.futures.ProcessPoolExecutor = _executor  # type: ignore[misc,assignment]
    socket.socketpair = _pipe  # type: ignore[assignment]


class ThreadPool:
    """Like `multiprocessing.Pool`."""

    def __init__(
        self, processes: int | None = None, initializer: Any = None, initargs: Iterable[Any] = (), **_: Any
    ) -> None:
        self._pool = ThreadPoolExecutor(processes, initializer=initializer, initargs=tuple(initargs))

    def apply(self, function: Callable[..., Any], args: Iterable[Any] = (), kwds: Any = None) -> Any:
        """Call it and wait."""
        return self.apply_async(function, args, kwds).get()

    def apply_async(self, function: Callable[..., Any], args: Iterable[Any] = (), kwds: Any = None, *_: Any) -> "Later":
        """Call it."""
        return Later([self._pool.submit(function, *args, **(kwds or {}))], is_one=True)

    def map_async(self, function: Callable[..., Any], iterable: Iterable[Any], *_: Any, **__: Any) -> "Later":
        """Call it for each."""
        return Later([self._pool.submit(function, each) for each in iterable])

    def starmap_async(self, function: Callable[..., Any], iterable: Iterable[Any], *_: Any, **__: Any) -> "Later":
        """Call it for each, with several arguments."""
        return Later([self._pool.submit(function, *each) for each in iterable])

    def map(self, function: Callable[..., Any], iterable: Iterable[Any], chunksize: Any = None) -> Any:
        """Call it for each and wait."""
        del chunksize
        return self.map_async(function, iterable).get()

    def starmap(self, function: Callable[..., Any], iterable: Iterable[Any], chunksize: Any = None) -> Any:
        """The same with several arguments."""
        del chunksize
        return self.starmap_async(function, iterable).get()

    def imap(self, function: Callable[..., Any], iterable: Iterable[Any], chunksize: Any = None) -> Iterator[Any]:
        """The same, one after the other."""
        return iter(self.map(function, iterable, chunksize))

    imap_unordered = imap

    def close(self) -> None:
        """Nothing more is called."""
        self._pool.shutdown(wait=False)

    def terminate(self) -> None:
        """What waits is not called any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Wait for all."""
        self._pool.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()


class Later:
    """What a pool will have found."""

    def __init__(self, futures: list[Future[Any]], *, is_one: bool = False) -> None:
        self._futures = futures
        self._is_one = is_one

    def get(self, timeout: float | None = None) -> Any:
        """Wait for it; too long is `multiprocessing.TimeoutError`."""
        import multiprocessing

        try:
            found = [future.result(timeout) for future in self._futures]
        except TimeoutError as late:
            raise multiprocessing.TimeoutError(*late.args) from None
        return found[0] if self._is_one else found

    def ready(self) -> bool:
        """Whether it is there."""
        return all(future.done() for future in self._futures)


class _End:
    """One end of a pipe, as far as an event loop needs a socket."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Its number."""
        return self._descriptor

    def setblocking(self, flag: bool) -> None:
        """Whether it waits."""
        os.set_blocking(self._descriptor, flag)

    def recv(self, size: int) -> bytes:
        """Read."""
        return os.read(self._descriptor, size)

    def send(self, data: bytes) -> int:
        """Write."""
        return os.write(self._descriptor, data)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def _pipe(*_: Any) -> tuple[_End, _End]:
    reading, writing = os.pipe()
    return _End(reading), _End(writing)


def _same(method: str | None = None) -> Any:
    """However processes are wanted, they are threads."""
    import multiprocessing

    del method
    return multiprocessing


def _let_run(process: Any) -> None:
    """A thread cannot be ended from outside: it runs until the evaluation is over."""
    del process


def _executor(max_workers: int | None = None, mp_context: Any = None, **others: Any) -> ThreadPoolExecutor:
    del mp_context
    kept = {name: others[name] for name in ("initializer", "initargs") if name in others}
    return ThreadPoolExecutor(max_workers=max_workers, **kept)
