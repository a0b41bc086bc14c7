"""Celery tasks, one module per queue, so that each worker pool loads only what it needs.

Each task parses its arguments and makes one call; all state is in the database.
"""
