"""The command line's commands: one file a subject, each with `add_to(app)`."""
