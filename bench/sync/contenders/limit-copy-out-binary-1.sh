#!/usr/bin/env bash
# Reads everything over one connection in binary format, and discards it.
. "$CONTENDERS/common.sh"
for table in $TABLES; do source_sql -c "COPY master.$table TO STDOUT (FORMAT binary)" >/dev/null; done
