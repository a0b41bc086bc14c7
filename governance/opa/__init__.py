"""The OPA servers that decide for this installation: their credentials, what they run, and what they report."""
