"""What is done with keys: use cases, rotation, verification, and what is known of each key."""
