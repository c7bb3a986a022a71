"""What was said: persists the message stream to MongoDB, and answers pages of it."""
