"""Ways to connect an account: this package, and what one would otherwise write.

A rival is a module of this package. It may have `connecting`, an async context manager around a
coroutine function, and `blocking`, a context manager around a function; both take a `Target` and
give what connects an account for the identity of a number.
"""
