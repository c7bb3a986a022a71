#!/bin/sh
# As that of MongoDB's image: as root, it gives the data to the user mongodb and becomes that user.
set -e
case "$1" in -*) set -- mongod "$@" ;; esac
make-users
if [ "$(id -u)" = 0 ]; then
  chown -R mongodb /data/db
  exec setpriv --reuid=mongodb --regid=mongodb --clear-groups "$@"
fi
exec "$@"
