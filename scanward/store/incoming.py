"""What the gate said yes or no to, made durable: the bytes first, then their rows in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from scanward.ports import Ports
from scanward.ports.catalog import Receipt, Received, Refusal
from scanward.ports.object_store import Blob, Staged, Zone
from scanward.store.zones import check_there

Judged = tuple[Staged, Received | Refusal]


def keep(judged: Sequence[Judged], ports: Ports) -> list[Receipt]:
    """Put objects into raw and refusals into quarantine; return receipts in order once all is durable.

    A crash before the rows leaves blobs without a row, which the next start sweeps: nobody was told yes.
    Raises OutOfSpace or Unavailable; then nothing of the batch counts as received.
    """
    conflicts = _conflicts(judged, ports)
    taken = iter(_keep([one for place, one in enumerate(judged) if place not in conflicts], ports))
    return [conflicts[place] if place in conflicts else next(taken) for place in range(len(judged))]


def _conflicts(judged: Sequence[Judged], ports: Ports) -> dict[int, Receipt]:
    """Return receipts, by place, of what the catalog would not take, so that no bytes of it are put anywhere.

    Two senders may still meet in between: the bytes of the later one stay without a row, until the sweep.
    """
    received = [
        (place, verdict) for place, (_, verdict) in enumerate(judged) if isinstance(verdict, Received)
    ]
    found = ports.catalog.conflicts([verdict for _, verdict in received])
    return {received[number][0]: receipt for number, receipt in found.items()}


def _keep(judged: Sequence[Judged], ports: Ports) -> list[Receipt]:
    if not judged:
        return []
    existed = ports.objects.put([Blob(_zone(verdict), verdict.key, staged) for staged, verdict in judged])
    received = [verdict for _, verdict in judged if isinstance(verdict, Received)]
    refused = [verdict for _, verdict in judged if isinstance(verdict, Refusal)]
    receipts = iter(ports.catalog.receive(received, refused))
    of_received = [next(receipts) for _ in received]
    known = {receipt.key for receipt in of_received if receipt.duplicate}
    check_there([blob for blob in existed if blob.key not in known], ports.objects)
    ordered = {True: iter(of_received), False: receipts}
    return [next(ordered[isinstance(verdict, Received)]) for _, verdict in judged]


def _zone(verdict: Received | Refusal) -> Zone:
    return Zone.RAW if isinstance(verdict, Received) else Zone.QUARANTINE
