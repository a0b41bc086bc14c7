"""The Authorization API 1.0 of OpenID AuthZEN, for policy enforcement points of partners and of our own."""
