"""What goes into a prompt: the window around the cursor, and what the code there uses from other files."""
