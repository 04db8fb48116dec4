"""momentum-keys: the API keys of a Momentum or SparkPost server, managed from a terminal."""

__version__ = "0.1.0"
