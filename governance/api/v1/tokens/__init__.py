"""Access tokens: getting, examining and revoking them."""
