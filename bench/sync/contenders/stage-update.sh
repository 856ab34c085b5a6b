#!/usr/bin/env bash
# Copies all rows to staging tables; then, in one transaction, UPDATEs changed rows, INSERTs new ones and DELETEs missing ones.
. "$CONTENDERS/common.sh"
. "$CONTENDERS/merge.sh"
. "$CONTENDERS/stage.sh"
{
    echo "BEGIN;"
    for table in $parents_first; do
        changed "$table" || continue
        echo "UPDATE master.$table t SET ($(values "$table" attname)) = ROW ($(values "$table" "'s.' || attname")) FROM staging.$table s
              WHERE $(same_key "$table") AND ROW ($(values "$table" "'t.' || attname")) IS DISTINCT FROM ROW ($(values "$table" "'s.' || attname"));"
        echo "INSERT INTO master.$table OVERRIDING SYSTEM VALUE SELECT * FROM staging.$table s WHERE NOT EXISTS (SELECT FROM master.$table t WHERE $(same_key "$table"));"
    done
    for table in $children_first; do
        changed "$table" || continue
        echo "DELETE FROM master.$table t WHERE NOT EXISTS (SELECT FROM staging.$table s WHERE $(same_key "$table"));"
    done
    echo "COMMIT; DROP SCHEMA staging CASCADE;"
} >"$WORK/merge.sql"
target_sql -c "SET client_min_messages = warning" -f "$WORK/merge.sql"
