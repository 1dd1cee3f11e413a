"""The database's tables and how an older file becomes a newer one.

The SQL keeps to what SQLite and PostgreSQL share where it can. Times called `*_at` are wall-clock seconds since
1970 (UTC); times called `at_s` are seconds of call time.
"""

from __future__ import annotations

import sqlite3

from monitor.service.rows import StoreError

MIGRATIONS: list[list[str]] = [
    [
        """CREATE TABLE calls (
            call_id TEXT PRIMARY KEY, source TEXT NOT NULL, channel TEXT, language TEXT, agent_id TEXT, team TEXT,
            queue TEXT, customer_id TEXT, started_at TEXT, state TEXT NOT NULL, finished INTEGER NOT NULL,
            tension REAL NOT NULL, peak_tension REAL NOT NULL, risk REAL NOT NULL, stage TEXT,
            labels TEXT NOT NULL, outcome_guess TEXT, outcome TEXT, customer_type TEXT, flags TEXT NOT NULL,
            turns INTEGER NOT NULL, alerts INTEGER NOT NULL, last_at_s REAL NOT NULL,
            opened_at REAL NOT NULL, ended_at REAL, updated_at REAL NOT NULL
        )""",
        "CREATE INDEX calls_opened ON calls (opened_at, call_id)",
        "CREATE INDEX calls_customer ON calls (customer_id)",
        "CREATE INDEX calls_unfinished ON calls (call_id) WHERE finished = 0",
        """CREATE TABLE records (
            call_id TEXT NOT NULL, n INTEGER NOT NULL, segment_id TEXT, body BLOB NOT NULL,
            PRIMARY KEY (call_id, n)
        ) WITHOUT ROWID""",
        """CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL, n INTEGER NOT NULL, type TEXT NOT NULL,
            at_s REAL NOT NULL, body BLOB NOT NULL, UNIQUE (call_id, n)
        )""",
        """CREATE TABLE turn_texts (
            call_id TEXT NOT NULL, n INTEGER NOT NULL, folded TEXT NOT NULL, PRIMARY KEY (call_id, n)
        ) WITHOUT ROWID""",
        """CREATE TABLE call_labels (
            label TEXT NOT NULL, call_id TEXT NOT NULL, PRIMARY KEY (label, call_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX call_labels_call ON call_labels (call_id)",
        """CREATE TABLE alerts (
            call_id TEXT NOT NULL, alert_id TEXT NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL,
            severity TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL,
            audience TEXT NOT NULL, team TEXT, agent_id TEXT, segment_id TEXT, at_s REAL NOT NULL,
            fired_at REAL NOT NULL, updated_at REAL NOT NULL, acknowledged_at REAL, acknowledged_by TEXT,
            resolved_at REAL, resolved_by TEXT, note TEXT,
            PRIMARY KEY (call_id, alert_id)
        )""",
        "CREATE INDEX alerts_id ON alerts (alert_id)",
        "CREATE INDEX alerts_fired ON alerts (fired_at)",
        """CREATE TABLE annotations (
            id INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL, alert_id TEXT, kind TEXT NOT NULL,
            body TEXT NOT NULL, by TEXT NOT NULL, at REAL NOT NULL
        )""",
        "CREATE INDEX annotations_call ON annotations (call_id, id)",
        """CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, note_id TEXT NOT NULL,
            alert_id TEXT NOT NULL, call_id TEXT NOT NULL, body BLOB NOT NULL, status TEXT NOT NULL,
            attempts INTEGER NOT NULL, due_at REAL NOT NULL, created_at REAL NOT NULL, error TEXT,
            UNIQUE (receiver, note_id)
        )""",
        "CREATE INDEX deliveries_due ON deliveries (receiver, status, due_at)",
        "CREATE INDEX deliveries_alert ON deliveries (receiver, alert_id, id)",
        "CREATE INDEX deliveries_call ON deliveries (call_id)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ],
]
"""Step i takes a database from version i to i + 1. Steps that were released are never edited."""


def migrate(db: sqlite3.Connection) -> None:
    """Brings the open database to this program's version, one transaction a step. Raises StoreError if it is newer."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the database has schema version {version}, this program knows {len(MIGRATIONS)}: "
            "upgrade Becalm or choose another --db"
        )
    for step in range(version, len(MIGRATIONS)):
        db.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[step]:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {step + 1}")
        db.execute("COMMIT")


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with this service's settings; what is outside BEGIN commits by itself. Any thread may use it."""
    mode = "ro" if read_only else "rwc"
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + f"?mode={mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0)
    if not read_only:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
    db.execute("PRAGMA busy_timeout = 10000")
    return db
