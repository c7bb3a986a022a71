"""How every Parley process starts, reports and stops. Imports the wire contract at most."""
