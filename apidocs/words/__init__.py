"""What people have written: of every route, event and subject, once. Nothing here says what the code says already."""
