"""What the tests of the containers share: an engine, and images. Without them every test is skipped, and says so."""

import shutil

import pytest

from tests.containers import images


@pytest.fixture(scope="session")
def missing_images() -> list[str]:
    """Have podman and all images but these."""
    if shutil.which("podman") is None:
        pytest.skip("no podman: the containers are NOT tested")
    try:
        missing = images.prepare()
    except images.NoImageError as error:
        pytest.skip(f"no images, or podman cannot run: the containers are NOT tested: {error}")
    print("stand-ins:", *images.stand_ins())
    print("not tested, for no registry gave it:", *missing)
    return missing
