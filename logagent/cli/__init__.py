"""What people type: one module a command, each with `main(args) -> exit status`."""
