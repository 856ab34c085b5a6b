# shellcheck shell=bash
# Sourced: copies all rows of $TABLES to unlogged tables of the target, with statistics on their keys.
target_sql -c "CREATE SCHEMA staging"
for table in $TABLES; do target_sql -c "CREATE UNLOGGED TABLE staging.$table (LIKE master.$table)"; done
copy_tables staging
for table in $TABLES; do target_sql -c "ANALYZE staging.$table"; done
