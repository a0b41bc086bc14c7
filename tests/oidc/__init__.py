"""A real OpenID Connect provider in a process of its own, for tests of single sign-on."""
