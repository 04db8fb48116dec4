"""What lies beneath screens and widgets: the terminal, and the private parts of Textual."""
