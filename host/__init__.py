"""The `moodmiles` command, and the parts of an instance that it starts.

`commands` lists the commands; each is a module with `run(arguments)`.
`plan` lists the parts of one instance, `supervisor` keeps them alive.
"""
