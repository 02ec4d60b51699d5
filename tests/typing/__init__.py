"""What users' type checkers must infer: read by mypy and pyright (strict), never run.

One module per public name. A promise is a function that nobody calls, with `assert_type` in its
body. What must be refused carries an ignore of exactly that error for each checker, as in
`# type: ignore[call-arg]  # pyright: ignore[reportCallIssue]`: both complain when nothing is wrong.
"""
