"""Where tests find the repository, and the real data that lies beside it on some machines."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
