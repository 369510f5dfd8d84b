"""What the gateway's tests stand on: services that answer as told, a realm that signs, a gateway over HTTP."""
