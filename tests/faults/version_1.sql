-- The database as the first version laid it; never changed again.
PRAGMA journal_mode = WAL;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, queue TEXT NOT NULL,
    project TEXT, payload TEXT NOT NULL, state TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0, made REAL NOT NULL, started REAL, ended REAL,
    attempt INTEGER NOT NULL DEFAULT 0, fruitless INTEGER NOT NULL DEFAULT 0,
    gained INTEGER NOT NULL DEFAULT 0, reached REAL NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0, owner TEXT, lease REAL, pid INTEGER, pid_started REAL,
    beat INTEGER NOT NULL DEFAULT 0, heartbeat REAL, stop REAL, heard REAL,
    stage TEXT NOT NULL DEFAULT '', fraction REAL NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
    error TEXT, result TEXT);
CREATE INDEX jobs_waiting ON jobs (queue, state, priority DESC, number);
CREATE INDEX jobs_project ON jobs (project, number);
CREATE TABLE progress (
    job TEXT NOT NULL, seq INTEGER NOT NULL, time REAL NOT NULL, attempt INTEGER NOT NULL, stage TEXT NOT NULL,
    fraction REAL NOT NULL, message TEXT NOT NULL, scalars TEXT NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID;
CREATE TABLE processes (
    role TEXT NOT NULL, pid INTEGER NOT NULL, started REAL NOT NULL, since REAL NOT NULL, PRIMARY KEY (role, pid));
PRAGMA user_version = 1;
