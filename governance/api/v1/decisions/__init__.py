"""Policy decisions about a partner's jobs."""
