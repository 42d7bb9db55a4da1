"""What goes between the service and the process that its codecs run in."""

import struct
from typing import Final

TASK: Final = struct.Struct(">QI")
"""Before a task: its bytes, and the seconds of processor time that it may take."""
ANSWER: Final = struct.Struct(">BQ")
"""Before an answer: one of the three below, and its bytes."""
DONE, REFUSED, FAILED = 0, 1, 2
