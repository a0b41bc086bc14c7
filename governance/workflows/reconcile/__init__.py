"""Reconciliation: is everything that should be on record there, once, and nothing else?

Rows of the database, entries of the log and objects in WORM storage are held against each other, in both directions.
What one side alone says is a fault. Each area declares what is asked of its tables in its `reconciliation.py`. Whether
signatures and hashes hold is the business of `audit.verification`.
"""
