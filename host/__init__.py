"""The door for the host: the `moodmiles` command and what it starts.

`cli` reads the command; each command is a module with `run(arguments)`.
`up` plans the parts of one instance, `supervisor` keeps them alive.
"""
