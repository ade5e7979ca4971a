"""GGUF files: their heads, read without believing them, and the sets of shards that they form."""
