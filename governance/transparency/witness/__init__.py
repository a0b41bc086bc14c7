"""A small witness of transparency logs (c2sp.org/tlog-witness): it cosigns what continues what it saw before.

It is a program of its own, `python -m governance.transparency.witness`, meant to run where the log's operator has no
hand in it: without Django, without the database, with a key and a memory that are its alone.
"""
