"""What can go wrong around the servers, each as one sentence that says what to do."""


class StackError(Exception):
    """A sentence for the person at the terminal; commands print it without a traceback and exit with 1."""


class ProcessDied(StackError):
    """A process ended although it was not stopped; the message has the end of its log."""
