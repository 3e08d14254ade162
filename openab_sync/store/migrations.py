"""The tables of the journal, and how an older file becomes one of today's. Numbered; what has run is never changed.

`PRAGMA user_version` says how many have run. Each runs whole or not at all.
"""

from __future__ import annotations

import sqlite3

from ..errors import ConfigError

__all__ = ["MIGRATIONS", "examine", "migrate"]

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # 1: what must outlive a restart of the bot on a chat service
    (
        """
        CREATE TABLE conversations (
            key TEXT PRIMARY KEY,
            parent TEXT NOT NULL,
            took_part INTEGER NOT NULL CHECK (took_part IN (0, 1)),
            bots TEXT NOT NULL,                 -- a JSON list of ids, as all lists here
            people TEXT NOT NULL,
            bot_turns INTEGER NOT NULL,
            bot_turns_total INTEGER NOT NULL,
            title TEXT NOT NULL,
            title_is_theirs INTEGER NOT NULL CHECK (title_is_theirs IN (0, 1)),
            last_seen TEXT NOT NULL,
            touched INTEGER NOT NULL            -- counts up: the larger, the later it was written
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX conversations_by_touched ON conversations (touched)",
        """
        CREATE TABLE buttons (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            conversation TEXT NOT NULL,         -- its key; there need not be anything known of it
            data TEXT NOT NULL,                 -- a JSON object of strings
            people TEXT NOT NULL,
            expires REAL NOT NULL,              -- seconds since the epoch
            touched INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
    ),
    # 2: the agent's title is given once
    ("ALTER TABLE conversations RENAME COLUMN title_is_theirs TO title_is_settled",),
    # 3: what people wrote to us, and how it was answered
    (
        """
        CREATE TABLE replies (
            turn TEXT PRIMARY KEY,
            conversation TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'delivered', 'failed')),
            outcome TEXT NOT NULL,              -- '' while it runs
            reason TEXT NOT NULL,
            began REAL NOT NULL,                -- seconds since the epoch, as all moments
            ended REAL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX replies_open ON replies (began) WHERE state IN ('running', 'finished')",
        """
        CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY,             -- in the order of acceptance
            conversation TEXT NOT NULL,
            message TEXT NOT NULL,
            author TEXT NOT NULL,
            text TEXT NOT NULL,
            route TEXT NOT NULL,                -- the platform's: a JSON object of strings
            note TEXT,                          -- the complete message as JSON; NULL before, and when it is over
            state TEXT NOT NULL
                CHECK (state IN ('accepted', 'started', 'finished', 'delivered', 'failed', 'withdrawn')),
            turn TEXT REFERENCES replies (turn) ON DELETE SET NULL,
            accepted REAL NOT NULL,
            changed REAL NOT NULL
        ) STRICT
        """,
        "CREATE INDEX deliveries_waiting ON deliveries (id) WHERE state = 'accepted'",
        "CREATE INDEX deliveries_by_message ON deliveries (message)",
        "CREATE INDEX deliveries_by_turn ON deliveries (turn)",
        """
        CREATE TABLE pages (
            turn TEXT NOT NULL REFERENCES replies (turn) ON DELETE CASCADE,
            number INTEGER NOT NULL,            -- from 0
            text TEXT NOT NULL,
            message TEXT NOT NULL,              -- its id; '' while it is not posted
            copy INTEGER NOT NULL,
            shown INTEGER NOT NULL CHECK (shown IN (0, 1)),
            PRIMARY KEY (turn, number)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE files (
            turn TEXT NOT NULL REFERENCES replies (turn) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            after INTEGER NOT NULL,             -- the page that it follows
            name TEXT NOT NULL,
            mime TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (turn, number)
        ) STRICT
        """,
    ),
    # 4: the processes of a broker: what a crash leaves behind is found by them
    (
        """
        CREATE TABLE brokers (
            id TEXT PRIMARY KEY,                -- what all that it starts carries in its environment
            pid INTEGER NOT NULL,
            started INTEGER NOT NULL,           -- clock ticks since boot
            boot TEXT NOT NULL                  -- which boot of the machine
        ) STRICT
        """,
        """
        CREATE TABLE agents (
            marker TEXT PRIMARY KEY,            -- what it carries in its environment, and its children
            broker TEXT NOT NULL REFERENCES brokers (id) ON DELETE CASCADE,
            pid INTEGER NOT NULL,
            started INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX agents_by_broker ON agents (broker)",
    ),
    # 5: the audit: it grows, and its oldest entries go when the horizon has passed them; nothing else
    (
        """
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,                   -- seconds since the epoch
            kind TEXT NOT NULL,
            conversation TEXT NOT NULL,         -- its key, '' for none
            person TEXT NOT NULL,               -- an id of the chat service's, '' for nobody
            name TEXT NOT NULL,
            details TEXT NOT NULL               -- a JSON object
        ) STRICT
        """,
        "CREATE INDEX audit_by_at ON audit (at)",
        "CREATE TABLE audit_horizon (number INTEGER NOT NULL) STRICT",
        "INSERT INTO audit_horizon VALUES (0)",
        """
        CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
        """,
        # REPLACE deletes without asking the next one.
        """
        CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE number = new.number)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
        """,
        """
        CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        WHEN old.number >= (SELECT max(number) FROM audit_horizon)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END
        """,
        """
        CREATE TRIGGER audit_horizon_goes_forward BEFORE UPDATE ON audit_horizon
        WHEN new.number < old.number
        BEGIN SELECT RAISE(ABORT, 'the horizon of the audit goes forward only'); END
        """,
        """
        CREATE TRIGGER audit_horizon_is_one BEFORE INSERT ON audit_horizon
        BEGIN SELECT RAISE(ABORT, 'the audit has one horizon'); END
        """,
        """
        CREATE TRIGGER audit_horizon_stays BEFORE DELETE ON audit_horizon
        BEGIN SELECT RAISE(ABORT, 'the audit has one horizon'); END
        """,
        """
        CREATE TRIGGER audit_tells_of_its_horizon AFTER UPDATE ON audit_horizon
        BEGIN
            INSERT INTO audit (at, kind, conversation, person, name, details)
            VALUES (
                (julianday('now') - 2440587.5) * 86400.0, 'retention', '', '', '',
                json_object('deleted_before', new.number)
            );
        END
        """,
    ),
    # 6: how conversations are taken up again
    (
        """
        CREATE TABLE memories (
            key TEXT PRIMARY KEY,
            session TEXT,                       -- the agent's id for it: whoever knows it can go on with it
            options TEXT NOT NULL,              -- a JSON list of pairs, in the order in which they are set
            cwd TEXT NOT NULL,
            agent TEXT NOT NULL,
            used REAL NOT NULL,                 -- seconds since the epoch
            archive TEXT NOT NULL               -- a JSON list of earlier session ids
        ) STRICT, WITHOUT ROWID
        """,
    ),
    # 7: what people were told about an agent that may act unasked
    ("ALTER TABLE memories ADD COLUMN warned TEXT NOT NULL DEFAULT ''",),
    # 8: up to where each place has been read
    (
        """
        CREATE TABLE cursors (
            key TEXT PRIMARY KEY,
            seen TEXT NOT NULL,
            within TEXT NOT NULL,
            guild TEXT NOT NULL,
            touched INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX cursors_by_touched ON cursors (touched)",
    ),
    # 9: what was used, day by day
    (
        """
        CREATE TABLE spending (
            day TEXT NOT NULL,                  -- as 2026-01-31, in the time zone of that machine
            scope TEXT NOT NULL,                -- of a person, a conversation, everybody
            key TEXT NOT NULL,
            turns INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            cost REAL NOT NULL,
            touched INTEGER NOT NULL,
            PRIMARY KEY (day, scope, key)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX spending_by_touched ON spending (touched)",
    ),
    # 10: what a turn says so far, where nobody sees it before it is whole
    ("ALTER TABLE replies ADD COLUMN draft TEXT NOT NULL DEFAULT ''",),
    # 11: what is forgotten is found by its conversation
    (
        "CREATE INDEX deliveries_by_conversation ON deliveries (conversation)",
        "CREATE INDEX replies_by_conversation ON replies (conversation)",
    ),
    # 12: with which words a message is refused: it is so from then on, whether its writer has been told or not
    ("ALTER TABLE deliveries ADD COLUMN refusal TEXT NOT NULL DEFAULT ''",),
)


def examine(db: sqlite3.Connection, name: str, oldest: int = 0) -> None:
    """Look whether `db` is ours, and change nothing. Blocks (disk).

    Raise ConfigError if it is something else, newer than we are or older than `oldest`, calling it `name`;
    sqlite3.Error if it is damaged.
    """
    version = _number(db, "PRAGMA user_version")
    if version > len(MIGRATIONS):
        raise ConfigError(
            f"was written by a newer openab-sync (schema {version}, this one knows {len(MIGRATIONS)})",
            file=name,
            hint="run that version, or choose another [store] path",
        )
    if version == 0 and _number(db, "SELECT count(*) FROM sqlite_schema"):
        raise ConfigError("is a database of something else", file=name, hint="choose another [store] path")
    if version < oldest:
        hint = "`openab-sync run` brings it up to date"
        raise ConfigError(f"was written by an older openab-sync (schema {version})", file=name, hint=hint)


def migrate(db: sqlite3.Connection) -> None:
    """Bring `db`, which has been examined, up to date. Blocks (disk). Raise sqlite3.Error."""
    for number in range(_number(db, "PRAGMA user_version"), len(MIGRATIONS)):
        _step(db, number)


def _step(db: sqlite3.Connection, number: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in MIGRATIONS[number]:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number + 1}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _number(db: sqlite3.Connection, statement: str) -> int:
    (number,) = db.execute(statement).fetchone()
    assert isinstance(number, int)
    return number
