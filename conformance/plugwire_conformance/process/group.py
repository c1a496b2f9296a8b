"""Whether any process of a group is still there. A dead one that nobody has reaped is not."""

import os
import subprocess
import time

#: It is looked at this often.
_GLANCE = 0.05


def group_lives(group: int, seconds: float) -> bool:
    """Waits until the group has no process any more; True when it still has one after so many seconds."""
    deadline = time.monotonic() + seconds
    while _has_members(group):
        if time.monotonic() > deadline:
            return True
        time.sleep(_GLANCE)
    return False


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _has_living_members(group)


def _has_living_members(group: int) -> bool:
    try:
        rows = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False  # without ps a dead process cannot be told from one that lives
    return any(row[0] == str(group) and not row[1].startswith("Z") for row in map(str.split, rows.splitlines()))
