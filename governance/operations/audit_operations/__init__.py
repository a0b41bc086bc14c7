"""What `manage.py audit` can do: one small module each, with a constant OPERATION."""
