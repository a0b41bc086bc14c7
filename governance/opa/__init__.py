"""The OPA servers that decide for us: their credentials, what they run, and what they say they decided."""
