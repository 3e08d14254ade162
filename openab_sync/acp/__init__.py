"""The client side of the Agent Client Protocol: pipes and messages; nothing of chats, pools or platforms.

`wire` cuts bytes into JSON values, `schema` types them, `peer` is the protocol without I/O, `process` owns an agent's
process, `connection` joins the two behind one wait, `permissions` picks among the options an agent offers, `events` is
what all of that says to the core.
"""
