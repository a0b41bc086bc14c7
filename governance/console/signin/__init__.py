"""How people sign in to the console: attempts, sessions, second factors, single sign-on."""
