"""Standing questions to video: YES, NO or UNKNOWN, over MQTT."""

__version__ = "0.1.0"
