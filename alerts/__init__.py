"""Deliver: an alert is routed, silenced, deduplicated, sent, retried and recorded. Imports only itself."""
