"""Models that partners may ask for."""
