"""What a run came to: judged, and written down for machines (`run.json`) and people (`summary.md`, `report.html`)."""
