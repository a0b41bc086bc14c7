"""Works in the catalogue and their upload."""
