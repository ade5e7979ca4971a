"""Prompts as files: finding, rendering and checking them."""
