"""The hunt: one marker is planted wherever a secret goes, and must be found nowhere."""
