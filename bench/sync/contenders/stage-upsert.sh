#!/usr/bin/env bash
# Copies all rows to staging tables; then, in one transaction, INSERT … ON CONFLICT DO UPDATE of changed rows and DELETE of missing ones.
. "$CONTENDERS/common.sh"
. "$CONTENDERS/merge.sh"
. "$CONTENDERS/stage.sh"
{
    echo "BEGIN;"
    for table in $parents_first; do
        changed "$table" || continue
        echo "INSERT INTO master.$table AS t OVERRIDING SYSTEM VALUE SELECT * FROM staging.$table
              ON CONFLICT ($(key "$table")) DO UPDATE SET ($(values "$table" attname)) = ROW ($(values "$table" "'excluded.' || attname"))
              WHERE ROW ($(values "$table" "'t.' || attname")) IS DISTINCT FROM ROW ($(values "$table" "'excluded.' || attname"));"
    done
    for table in $children_first; do
        changed "$table" || continue
        echo "DELETE FROM master.$table t WHERE NOT EXISTS (SELECT FROM staging.$table s WHERE $(same_key "$table"));"
    done
    echo "COMMIT; DROP SCHEMA staging CASCADE;"
} >"$WORK/merge.sql"
target_sql -c "SET client_min_messages = warning" -f "$WORK/merge.sql"
