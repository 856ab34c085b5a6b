#!/usr/bin/env bash
# Reads everything over two connections in binary format, and discards it.
. "$CONTENDERS/common.sh"
middle=$(middle)
out() { source_sql -c "COPY ($1) TO STDOUT (FORMAT binary)" >/dev/null; }
first() { out "SELECT * FROM master.drug WHERE ctid < '($middle,0)'"; }
second() {
    out "SELECT * FROM master.drug WHERE ctid >= '($middle,0)'"
    for table in $TABLES; do [ "$table" = drug ] || out "TABLE master.$table"; done
}
both first second
