"""Set-up, servers and commands around the product; nothing in `governance` imports this."""
