"""The sandbox, seen through plain aiohttp: nothing here uses the client it is made for."""
