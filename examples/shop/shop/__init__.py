"""A small shop: what it sells, what it costs, what is left of it."""
