"""Copies of the databases, in the files of mongodump, for where that is not to be had; the tests restore from them.

    python -m deploy.backup save FOLDER       while everything runs
    python -m deploy.backup load FOLDER       into empty databases, before the admin step and any service are started

MONGO_URL, and MONGO_PASSWORD_FILE if the password is not in it, name a user who may read (or write) both.
docs/OPERATIONS.md says in which order, and when to take mongodump or your database's own backups instead.
"""
