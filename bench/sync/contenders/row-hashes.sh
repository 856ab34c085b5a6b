#!/usr/bin/env bash
# Transfers the hash of every row over two connections, then only the rows whose hash differs, and merges them.
. "$CONTENDERS/common.sh"
. "$CONTENDERS/merge.sh"
target_sql -c "CREATE SCHEMA staging"
middle=$(middle)
for table in $TABLES; do
    target_sql -c "CREATE UNLOGGED TABLE staging.${table}_hash AS SELECT $(key "$table"), 0::bigint AS hash FROM master.$table WITH NO DATA" \
        -c "CREATE UNLOGGED TABLE staging.$table (LIKE master.$table)"
done
hashes() {
    source_sql -c "COPY (SELECT $(key "$1"), hash_record_extended(t.*, 0) FROM master.$1 t WHERE $2) TO STDOUT (FORMAT binary)" |
        target_sql -c "COPY staging.${1}_hash FROM STDIN (FORMAT binary)"
}
first() { hashes drug "ctid < '($middle,0)'"; }
second() {
    hashes drug "ctid >= '($middle,0)'"
    for table in $TABLES; do [ "$table" = drug ] || hashes "$table" true; done
}
both first second
for table in $TABLES; do
    target_sql -c "ANALYZE staging.${table}_hash"
    # keys of rows that are new or changed go to the source, their rows come back
    columns="CREATE TEMPORARY TABLE wanted AS SELECT $(key "$table") FROM master.$table WITH NO DATA"
    target_sql -c "COPY (SELECT $(key "$table") FROM staging.${table}_hash s WHERE NOT EXISTS
            (SELECT FROM master.$table t WHERE $(same_key "$table") AND hash_record_extended(t.*, 0) = s.hash)) TO STDOUT" >"$WORK/$table.wanted"
    source_sql -c "$columns" -c "\\copy wanted FROM '$WORK/$table.wanted'" -c "ANALYZE wanted" \
            -c "COPY (SELECT t.* FROM master.$table t JOIN wanted s ON $(same_key "$table")) TO STDOUT" |
        target_sql -c "COPY staging.$table FROM STDIN"
    target_sql -c "ANALYZE staging.$table"
done
{
    echo "BEGIN;"
    for table in $parents_first; do
        changed "$table" || continue
        echo "INSERT INTO master.$table AS t OVERRIDING SYSTEM VALUE SELECT * FROM staging.$table
              ON CONFLICT ($(key "$table")) DO UPDATE SET ($(values "$table" attname)) = ROW ($(values "$table" "'excluded.' || attname"));"
    done
    for table in $children_first; do
        changed "$table" || continue
        echo "DELETE FROM master.$table t WHERE NOT EXISTS (SELECT FROM staging.${table}_hash s WHERE $(same_key "$table"));"
    done
    echo "COMMIT; DROP SCHEMA staging CASCADE;"
} >"$WORK/merge.sql"
target_sql -c "SET client_min_messages = warning" -f "$WORK/merge.sql"
