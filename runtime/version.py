"""Which Parley this is. `pyproject.toml`, the images and the API's description say the same (tested)."""

from typing import Final

VERSION: Final = "0.1.0"
