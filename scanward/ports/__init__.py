"""What the line needs of the world, as Protocols of few verbs: knows errors and DICOM values, no adapter.

`Ports` is the one argument through which the world enters the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanward.ports.catalog import Catalog
from scanward.ports.changes import Changes
from scanward.ports.clock import Clock
from scanward.ports.crosswalk import Crosswalk
from scanward.ports.deletion import Deletion
from scanward.ports.executions import Executions
from scanward.ports.inventory import Inventory
from scanward.ports.links import Links
from scanward.ports.notifier import Notice, Notifier
from scanward.ports.object_store import ObjectStore
from scanward.ports.queue import Queue
from scanward.ports.search import Search
from scanward.ports.secrets import Secrets

__all__ = [
    "Catalog",
    "Changes",
    "Clock",
    "Crosswalk",
    "Deletion",
    "Executions",
    "Inventory",
    "Links",
    "Notice",
    "Notifier",
    "ObjectStore",
    "Ports",
    "Queue",
    "Search",
    "Secrets",
]


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of one site."""

    objects: ObjectStore
    catalog: Catalog
    search: Search
    inventory: Inventory
    executions: Executions
    queue: Queue
    crosswalk: Crosswalk
    changes: Changes
    deletion: Deletion
    links: Links
    secrets: Secrets
    clock: Clock
