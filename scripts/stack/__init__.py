"""The servers and processes of one Assent, started from one place and ended with it.

- `scripts.stack.stack.Stack`: everything, as `make demo` and `make run` use it;
- `scripts.stack.postgres.EmbeddedPostgres`, `scripts.stack.valkey.EmbeddedValkey`: one server each, as tests use them;
- `scripts.stack.errors.StackError`: what all of them raise, one sentence for the person at the terminal.
"""
