"""Our client and our sandbox in one event loop, in virtual time, over a network of bad manners."""
