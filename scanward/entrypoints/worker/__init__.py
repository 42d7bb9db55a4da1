"""The line's workers: a supervisor in the door's process, and processes of its own that do the work.

with worker.supervise(settings, ports):   # for a service: workers until the block ends
    ...
worker.run(settings, until_idle=True)     # blocks: until the line is empty, or until SIGTERM
"""

from scanward.entrypoints.worker.run import run, supervise
from scanward.entrypoints.worker.supervisor import Supervisor

__all__ = ["Supervisor", "run", "supervise"]
