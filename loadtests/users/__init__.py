"""The users that Locust plays, one module for each kind; what all of them share is in `base`, `line` and `visit`."""
