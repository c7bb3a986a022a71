"""Pages for people: the chat, what describes the API, and the examples."""
