"""`python -m services.history` serves."""

from runtime import process
from services.history.app import serve
from services.history.settings import HistorySettings

if __name__ == "__main__":
    process.run("history", HistorySettings, serve)
