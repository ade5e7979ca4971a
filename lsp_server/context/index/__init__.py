"""What every file of the workspace defines, names and imports: built by a process of its own, read by the server."""
