#!/usr/bin/env bash
# Reads everything over one connection in text format, and discards it.
. "$CONTENDERS/common.sh"
for table in $TABLES; do source_sql -c "COPY master.$table TO STDOUT (FORMAT text)" >/dev/null; done
