"""A small witness of transparency logs (c2sp.org/tlog-witness): it cosigns checkpoints that continue the last one.

It is a separate program, `python -m governance.transparency.witness`, meant to run outside the control of the log's
operator: without Django, without the database, with its own key and memory.
"""
