#!/usr/bin/env bash
# Copies from the source into unlogged tables without indexes over two connections in binary format, without compression, digests or verification.
. "$CONTENDERS/common.sh"
target_sql -c "CREATE SCHEMA staging"
for table in $TABLES; do target_sql -c "CREATE UNLOGGED TABLE staging.$table (LIKE master.$table)"; done
copy_tables staging binary
