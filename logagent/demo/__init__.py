"""What makes logs and what takes them: a writer, a receiver, and the demo that joins them."""
