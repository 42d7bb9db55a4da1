"""A client that dies at its n-th call, before AWS has it or after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lambda_start.stack import Stack


class Died(BaseException):
    """The process is gone: nothing of ours may catch it."""


@dataclass
class Fuse:
    """Counts the calls of several clients together and dies at one of them."""

    at: int
    after: bool
    calls: int = 0

    def burn(self, call: Callable[..., Any], **given: Any) -> Any:  # noqa: ANN401 - any call of any client
        mine = self.calls
        self.calls += 1
        if mine == self.at and not self.after:
            raise Died
        try:
            return call(**given)
        finally:
            if mine == self.at:
                raise Died


class Client:
    """Stands before a client of boto3."""

    def __init__(self, real: Any, fuse: Fuse) -> None:  # noqa: ANN401 - a client
        self._real, self._fuse = real, fuse

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any call
        call = getattr(self._real, name)
        return (lambda **given: self._fuse.burn(call, **given)) if callable(call) else call


def dying(stack: Stack, fuse: Fuse) -> Stack:
    """Return the stack as a process sees it that will die."""
    clients = stack.clients
    return stack.with_clients(
        **{name: Client(getattr(clients, name), fuse) for name in ("dynamodb", "states", "sqs", "s3", "sns")}
    )
