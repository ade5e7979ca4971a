"""What a user can set: declared once, read from a file, the environment and the editor, documented from here."""
