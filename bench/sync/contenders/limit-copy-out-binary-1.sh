#!/usr/bin/env bash
# Reads everything over one connection, format binary, and throws it away.
. "$CONTENDERS/common.sh"
for table in $TABLES; do source_sql -c "COPY master.$table TO STDOUT (FORMAT binary)" >/dev/null; done
