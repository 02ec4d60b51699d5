"""The command line, run as what it is: a process."""
