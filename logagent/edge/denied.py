"""What to change when a file can't be read: the texts that go with EACCES and EMFILE.

Knows how Kubernetes hands out uids and groups. Must not open anything.
"""

import errno
import os
import resource
import stat as st

from logagent.ports import Stat


def denied(stat: Stat) -> str:
    """`advice` for this process."""
    return advice(stat, uid=os.geteuid(), gid=os.getegid(), groups=os.getgroups())


def advice(stat: Stat, *, uid: int, gid: int, groups: list[int]) -> str:
    """Whose file it is, who we are, and what to change so that we may read it: text that goes
    behind "Permission denied"."""
    mode = st.S_IMODE(stat.mode)
    directory = st.S_ISDIR(stat.mode)
    mine = sorted({gid, *groups})
    member = stat.gid in mine
    wanted = 0o050 if directory else 0o040
    ways = []
    if not member:
        ways.append(f"make group {stat.gid} one of the agent's (fsGroup: {stat.gid})")
    if mode & wanted != wanted:
        ways.append(
            "let the app create directories that its group may search (umask 0027)"
            if directory
            else "let the app create files that its group may read (umask 0027)"
        )
    change = " and ".join(ways)
    if stat.uid not in (0, uid):
        change = f"{change}, or run the agent as its owner (runAsUser: {stat.uid})".lstrip(", ")
    if not change:
        change = "look at access lists and security modules: its mode would let us"
    return (
        f": it belongs to uid {stat.uid}, gid {stat.gid}, mode {mode:04o}; the agent is uid {uid}, "
        f"groups {', '.join(map(str, mine))}; {change}"
    )


def limit_of_descriptors(error: OSError) -> str:
    """For EMFILE and ENFILE what the limit is; otherwise nothing."""
    if error.errno == errno.EMFILE:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return f"; this process may have {limit} descriptors (ulimit -n)"
    if error.errno == errno.ENFILE:
        return "; the node has no descriptors left (fs.file-max)"
    return ""
