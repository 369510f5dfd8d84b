"""The sign-in realm, written as Python so that it can be read, tested and rendered for any address."""
