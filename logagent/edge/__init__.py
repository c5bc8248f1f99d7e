"""The only input and output: files, sockets, clocks, signals. Plain values in, no configuration."""
