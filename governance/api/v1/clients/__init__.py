"""A partner's own API client: what it may do, its secret and its tokens."""
