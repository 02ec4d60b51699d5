"""The command that onboards a file: real processes, real files, a real sandbox."""
