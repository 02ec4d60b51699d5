"""Connecting many accounts exactly once."""
