"""What the ledger says of the partner itself."""
