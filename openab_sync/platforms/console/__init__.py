"""The terminal as a chat platform.

    session threads ──► ConsolePort ──► a queue ──► Chat (interactive) or once (one turn) ──► stdout, stderr
    the person      ──► Terminal, or Lines on a dumb one ──┘

`screen` and `jsonlines` draw events, `words` reads what is typed, `completion` proposes: all pure. `cli.chat` puts the
parts together. Nothing is imported here: one turn on a pipe must not pay for a line editor.
"""
