"""What is seen: the app, its screens and widgets, and the terminal they are drawn on."""
