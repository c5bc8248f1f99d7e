"""What `logagent setup` makes on a server: what is wanted, what is there, what differs.

A package for `cli/setup.py` alone; nothing that runs in an agent imports it.

`wanted` says what a server should have, `door` how it is asked, `steps` compares and changes, and
`keys` writes what an administrator runs for the agent's own credentials.
"""
