"""The tests: through the public interface first, against real sockets, files and processes."""
