"""The three services. They meet only in `wire`: no service imports another."""
