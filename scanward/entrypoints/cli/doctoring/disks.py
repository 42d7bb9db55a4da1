"""Free space, permissions, and whether the disk under a folder is encrypted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from scanward.entrypoints.cli.console import byte_size
from scanward.entrypoints.cli.doctoring.finding import Finding

_OTHERS = 0o077
_SYSTEM = Path("/sys")
_ENCRYPT = "Encrypt the disk (LUKS), or put SCANWARD_DATA on one that is: it holds identified images."


def permissions(subject: str, path: Path, mode: int) -> Finding:
    """Say whether only the owner may read a file or folder, and whether that is who asks."""
    try:
        status = path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        seen = "not there yet" if missing else os.strerror(error.errno or 0)
        return Finding(subject, "unknown" if missing else "wrong", seen)
    seen = f"mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid}"
    if status.st_mode & _OTHERS:
        return Finding(subject, "wrong", f"{seen}: others may read it", f"chmod {mode:o} {path}")
    if status.st_uid != os.geteuid():
        return Finding(subject, "warning", f"{seen}, you are {os.geteuid()}", "Run as the owner.")
    return Finding(subject, "good", seen)


def free_space(folder: Path, watermark: int) -> Finding:
    """Hold the free space of a folder's disk against the watermark."""
    state = os.statvfs(_existing(folder))
    free = state.f_bavail * state.f_frsize
    seen = f"{byte_size(free)} free, uploads are refused below {byte_size(watermark)}"
    if free < watermark:
        return Finding("Free space", "wrong", seen, "Free space, or lower SCANWARD_FREE_SPACE_BYTES.")
    if free < watermark * 2:
        return Finding("Free space", "warning", seen, "Free space soon.")
    return Finding("Free space", "good", seen)


def encryption(folder: Path, system: Path = _SYSTEM) -> Finding:
    """Say whether the block device under a folder is encrypted by dm-crypt, as far as the kernel tells."""
    device = _existing(folder).stat().st_dev
    place = system / "dev" / "block" / f"{os.major(device)}:{os.minor(device)}"
    if not place.exists():
        seen = "no block device of its own (a network or overlay file system, or memory)"
        return Finding("Disk encryption", "unknown", seen, _ENCRYPT)
    seen_devices = list(_below(place.resolve()))
    if any(_is_encrypted(one) for one in seen_devices):
        return Finding("Disk encryption", "good", "dm-crypt (LUKS)")
    if any(one.name.startswith(("vd", "xvd", "nvme")) for one in seen_devices):
        seen = "not by this machine; a virtual or self-encrypting disk may be encrypted below it"
        return Finding("Disk encryption", "unknown", seen, _ENCRYPT)
    return Finding("Disk encryption", "warning", "the disk is not encrypted by this machine", _ENCRYPT)


def _below(device: Path) -> Iterator[Path]:
    """Yield a device and all that it lies on: LVM on LUKS on a partition, for example."""
    pending, seen = [device], set()
    while pending:
        one = pending.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        slaves = one / "slaves"
        pending += [slave.resolve() for slave in slaves.iterdir()] if slaves.is_dir() else []


def _is_encrypted(device: Path) -> bool:
    try:
        return (device / "dm" / "uuid").read_text("ascii").startswith("CRYPT-")
    except (OSError, UnicodeDecodeError):
        return False


def _existing(folder: Path) -> Path:
    """Return the folder, or what will be above it."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
