"""Room: telling a full disk from every other trouble, whoever reports it and however."""

import errno
import re
from collections.abc import Iterator

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SAID = re.compile(
    r"no space left on device|database or disk is full|disk quota exceeded|file too large"
    r"|could not write all bytes|unable to write|failed to offload|max_temp_directory_size",
    re.IGNORECASE,
)


def lacks_room(error: BaseException) -> bool:
    """Whether an error, or what led to it, is a disk without room.

    >>> lacks_room(OSError(errno.ENOSPC, "No space left on device"))
    True
    >>> lacks_room(ValueError("twelve"))
    False
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno is not None:
            if cause.errno in _ERRNOS:
                return True
        elif _SAID.search(str(cause)):
            return True
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    after: BaseException | None = error
    while after is not None and id(after) not in seen:
        seen.add(id(after))
        yield after
        after = after.__cause__ or after.__context__
