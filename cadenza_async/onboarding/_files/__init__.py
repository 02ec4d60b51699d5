"""Files of accounts: read and judged row by row, and the reports on what became of each."""
