#!/usr/bin/env bash
# Reads everything over two connections in text format, and discards it.
. "$CONTENDERS/common.sh"
out() { source_sql -c "COPY (SELECT * FROM master.$1 WHERE $2) TO STDOUT" >/dev/null; }
by_halves out
