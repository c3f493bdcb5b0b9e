"""Side by side with peers: one command a file, a table each. Nothing here is imported by MedML."""
