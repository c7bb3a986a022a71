"""A user who reads along."""

from locust import task

from loadtests.users.base import ParleyUser


class LurkerUser(ParleyUser):
    """Connected, in the rooms of those who chat, and silent. What it receives counts as everybody's does."""

    NAME = "lurker"
    wait_time = ParleyUser.idle_seconds

    @task
    def read(self) -> None:
        """What comes, comes by itself."""
