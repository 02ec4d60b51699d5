"""The pure core: values in, values out, no network, and time that does not pass."""
