"""The files of a writer: whole lines appended, and rotation as apps and logrotate do it.

Knows names, appending and both ways to rotate. Must not know what the lines say.
"""

import os
import shutil
from typing import Literal

Rotation = Literal["rename", "copytruncate"]


class RotatingFile:
    """`directory/name.log`, and `name.log.1` … `name.log.{keep}` after rotations, the highest the
    oldest; what is older is deleted. Raises OSError, from any method.

    rename: the file gets the next name and a new one is made. copytruncate: it is copied, then cut
    to nothing; no line is written between the two, so none is lost in between.
    """

    def __init__(
        self, directory: str, name: str, *, rotate_bytes: int, keep: int, rotation: Rotation
    ) -> None:
        self.path = os.path.join(directory, f"{name}.log")
        self.rotations = 0
        self._rotate_bytes = rotate_bytes
        self._keep = keep
        self._rotation = rotation
        self._open()

    def _open(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._size = os.fstat(self._fd).st_size

    def append(self, data: bytes) -> None:
        """Write all of `data`; a disk that takes only a part of it is asked again."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        self._size += len(data)

    def rotate_if_due(self) -> bool:
        """Rotate when the file has reached its size; never between the halves of a line, because
        the caller asks only after whole lines."""
        if not self._rotate_bytes or self._size < self._rotate_bytes:
            return False
        self.rotate()
        return True

    def rotate(self) -> None:
        """Rotate now."""
        for at in range(self._keep, 1, -1):
            newer = f"{self.path}.{at - 1}"
            if os.path.exists(newer):
                os.replace(newer, f"{self.path}.{at}")
        if self._rotation == "copytruncate":
            if self._keep:
                shutil.copyfile(self.path, f"{self.path}.1")
            os.ftruncate(self._fd, 0)
            self._size = 0
        else:
            os.close(self._fd)
            if self._keep:
                os.replace(self.path, f"{self.path}.1")
            else:
                os.unlink(self.path)
            self._open()
        self.rotations += 1

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)
