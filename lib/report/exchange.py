"""Replacing one folder by another in one step, so that a reader never meets half a site."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from pathlib import Path

RENAME_EXCHANGE = 2
AT_FDCWD = -100


def exchange(new: Path, old: Path) -> None:
    """Put ``new`` where ``old`` is and remove what was there.

    Where the system can (Linux, ``renameat2``), the exchange is one step. Elsewhere it takes two renames; if
    the process dies between them, ``repair`` restores the old folder at the next start.
    """
    if not old.exists():
        new.rename(old)
        return
    if _swap(new, old):
        shutil.rmtree(new)
        return
    aside = _aside(old)
    old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside)


def repair(folder: Path) -> None:
    """Undo an exchange that was cut off between its two renames."""
    aside = _aside(folder)
    if aside.exists() and not folder.exists():
        aside.rename(folder)
    elif aside.exists():
        shutil.rmtree(aside)


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.previous")


def _swap(new: Path, old: Path) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    status = libc.renameat2(AT_FDCWD, os.fsencode(new), AT_FDCWD, os.fsencode(old), RENAME_EXCHANGE)
    if status == 0:
        return True
    if ctypes.get_errno() in (errno.EINVAL, errno.ENOSYS):  # this file system cannot
        return False
    raise OSError(ctypes.get_errno(), f"cannot replace {old.name}")
