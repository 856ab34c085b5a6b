#!/usr/bin/env bash
# Copies all rows to staging tables; then, in one transaction, UPDATEs changed rows, INSERTs new ones and DELETEs missing ones.
. "$CONTENDERS/common.sh"
. "$CONTENDERS/merge.sh"
stage
for table in $TABLES; do target_sql -c "ANALYZE staging.$table"; done
update_and_insert() {
    echo "UPDATE master.$1 t SET ($(values "$1" attname)) = ROW ($(values "$1" "'s.' || attname")) FROM staging.$1 s
          WHERE $(same_key "$1") AND ROW ($(values "$1" "'t.' || attname")) IS DISTINCT FROM ROW ($(values "$1" "'s.' || attname"));"
    echo "INSERT INTO master.$1 OVERRIDING SYSTEM VALUE SELECT * FROM staging.$1 s WHERE NOT EXISTS (SELECT FROM master.$1 t WHERE $(same_key "$1"));"
}
merge update_and_insert ""
