"""What the operator settled beforehand, and what was used last."""
