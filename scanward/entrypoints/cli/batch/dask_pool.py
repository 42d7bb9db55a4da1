"""A Dask cluster as a pool; it comes with the extra `scanward[dask]`."""

from __future__ import annotations

from concurrent.futures import CancelledError, Executor

from distributed import Client, KilledWorker

_SECONDS = 15


class DaskPool:
    """The workers of a Dask scheduler; a batch whose worker dies goes to another, up to Dask's own limit."""

    broken: tuple[type[BaseException], ...] = (KilledWorker, CancelledError)
    batch_files = (50, 500)  # a task costs the scheduler some milliseconds
    batch_seconds = 10.0

    def __init__(self, address: str) -> None:
        """Connect. Raises OSError or TimeoutError."""
        self._client = Client(address, timeout=_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]  # distributed is not typed
        threads = sum(self._client.nthreads().values())  # type: ignore[no-untyped-call]  # as above
        self.window = max(2, threads * 2)
        self.executor: Executor = self._client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # as above

    def renew(self, *, alone: bool = False) -> None:
        """Do nothing: the scheduler has replaced the worker."""

    def close(self) -> None:
        """Cancel what waits and disconnect."""
        self.executor.shutdown(wait=False)  # which cancels with Dask
        self._client.close()  # type: ignore[no-untyped-call]  # as above
