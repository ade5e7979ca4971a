"""Suggestions while somebody types: when a model is asked, what is known without asking, and what became of it."""
