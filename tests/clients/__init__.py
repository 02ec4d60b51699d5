"""The clients as they are used: from threads, inside loops, interrupted, and ten thousand times."""
