"""Types that the rooms share."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

DAY = 86_400_000_000
"""Microseconds in a day."""

Floats = npt.NDArray[np.float64]
"""Numbers; NaN means missing."""

Times = npt.NDArray[np.int64]
"""Microseconds of the project's wall clock since 1970-01-01."""

Index = npt.NDArray[np.int32]
"""Positions in a batch, or category codes, where −1 means missing."""

Progress = Callable[[str], None]
"""Told each step of something long, in plain words."""
