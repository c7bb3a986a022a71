"""Writes the files of `apidocs.files`."""

import asyncio

from apidocs.files import DOCS, files


async def main() -> None:
    """Write all of them, and say so."""
    for name, data in files().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        print(f"docs/{name}")


if __name__ == "__main__":
    asyncio.run(main())
