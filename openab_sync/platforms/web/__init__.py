"""The page as a chat platform, and a window on the whole house.

    session threads ──► WebPort ──► a queue ──► Hall: transcripts ──► stream ──► pages
    people          ──► routes ──► Chat ──► broker

`entries`, `transcript`, `markdown`, `drawing` and `cards` are pure: events in, JSON out. `platform` puts the parts
together; who may look, and the web server itself, are the status server's. Nothing is imported here.
"""
