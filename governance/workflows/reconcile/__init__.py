"""Reconciliation: is everything that should be on record there exactly once, and nothing else?

Database rows, log entries and objects in WORM storage are compared with each other, in both directions. Whatever only
one side knows is a fault. Each area declares the checks of its tables in its `reconciliation.py`. Signatures and hashes
are checked by `audit.verification`.
"""
