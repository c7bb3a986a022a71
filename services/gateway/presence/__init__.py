"""Who is in a room, at whichever gateway (ADR 17)."""
