"""The REST contract of Momentum's key endpoints: what is sent, what comes back, what goes wrong."""
