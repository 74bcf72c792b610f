"""The gateways that Event Hub can take money through."""
