"""The Socket.IO edge: holds clients' connections, and relays between them and NATS. Keeps nothing that matters."""
