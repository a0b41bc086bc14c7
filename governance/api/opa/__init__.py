"""What OPA servers talk to: bundles out, decision logs and status in."""
