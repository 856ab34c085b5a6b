#!/usr/bin/env bash
# Transfers the hash of every row over two connections, then only the rows whose hash differs, and merges them.
. "$CONTENDERS/common.sh"
. "$CONTENDERS/merge.sh"
target_sql -c "CREATE SCHEMA staging"
for table in $TABLES; do
    target_sql -c "CREATE UNLOGGED TABLE staging.${table}_hash AS SELECT $(key "$table"), 0::bigint AS hash FROM master.$table WITH NO DATA" \
        -c "CREATE UNLOGGED TABLE staging.$table (LIKE master.$table)"
done
hashes() {
    source_sql -c "COPY (SELECT $(key "$1"), hash_record_extended(t.*, 0) FROM master.$1 t WHERE $2) TO STDOUT (FORMAT binary)" |
        target_sql -c "COPY staging.${1}_hash FROM STDIN (FORMAT binary)"
}
by_halves hashes
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
upsert() {
    echo "INSERT INTO master.$1 AS t OVERRIDING SYSTEM VALUE SELECT * FROM staging.$1
          ON CONFLICT ($(key "$1")) DO UPDATE SET ($(values "$1" attname)) = ROW ($(values "$1" "'excluded.' || attname"));"
}
merge upsert _hash
