"""Verdicts out to the broker: payloads, the outbox that loses nothing, MQTT, Home Assistant."""
