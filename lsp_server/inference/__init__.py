"""The client's side of inference: what a backend is, the one over HTTP, and getting an engine to talk to."""
