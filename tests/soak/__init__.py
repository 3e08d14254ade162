"""The whole house under people who do everything at once, for as long as one likes: `python -m tests.soak`.

`people` act, `account` holds the house to its promise for every message, `gauge` watches what it costs.
"""
