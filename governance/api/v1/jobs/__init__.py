"""Jobs, their outputs and their evidence."""
