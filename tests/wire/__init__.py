"""The client against a server that counts what it reads: nothing is sent that is not told."""
