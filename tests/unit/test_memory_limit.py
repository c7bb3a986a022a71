"""The limit of memory, as control groups say it."""

from pathlib import Path

import pytest

from runtime import memory_limit


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "268435456\n"}, 268435456),
        ("0::/\n", {"memory.max": "max\n"}, 0),
        ("0::/\n", {}, 0),
        ("0::/pod/container\n", {"pod/memory.max": "500\n", "pod/container/memory.max": "700\n"}, 500),
        ("0::/pod/container\n", {"pod/memory.max": "max\n", "pod/container/memory.max": "700\n"}, 700),
        ("0::/outside/of/it\n", {"memory.max": "300\n"}, 300),
        ("5:cpu:/x\n4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "9223372036854771712\n"}, 0),
        ("5:cpu:/x\n4:cpu,memory:/x\n", {"memory/x/memory.limit_in_bytes": "1000\n", "memory.max": "1\n"}, 1000),
        ("nonsense", {"memory.max": "1\n"}, 0),
    ],
)
def test_the_smallest_limit_around_the_process_counts(
    tmp_path: Path, own: str, files: dict[str, str], limit: int
) -> None:
    """Of its own group and those around it, in both versions; none is 0."""
    root = tmp_path / "cgroup"
    root.mkdir()
    _write(root, files)
    groups = tmp_path / "own"
    groups.write_text(own)
    assert memory_limit.read(root, groups) == limit


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    """As on other systems."""
    assert memory_limit.read(tmp_path / "none", tmp_path / "nothing") == 0
    assert memory_limit.read() >= 0
