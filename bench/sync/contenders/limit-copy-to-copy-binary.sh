#!/usr/bin/env bash
# From source into unlogged tables without index, two connections side by side, format binary: nothing is compressed, digested or verified.
. "$CONTENDERS/common.sh"
target_sql -c "CREATE SCHEMA staging"
for table in $TABLES; do target_sql -c "CREATE UNLOGGED TABLE staging.$table (LIKE master.$table)"; done
copy_tables staging binary
