# shellcheck shell=bash disable=SC2034
# Sourced: the columns and conditions for merging a table, and the transaction.
key() { case $1 in postal_code) echo "code, seq" ;; *) echo id ;; esac; }
same_key() { case $1 in postal_code) echo "t.code = s.code AND t.seq = s.seq" ;; *) echo "t.id = s.id" ;; esac; }
values() { target_sql -c "SELECT string_agg($2, ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'master.$1'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname = ANY (string_to_array('$(key "$1")', ', '))"; }
parents_first="ingredient disease postal_code drug drug_interaction"
children_first="drug_interaction drug postal_code disease ingredient"
changed() { case " $TABLES " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# merge STATEMENT SOURCE: runs, in one transaction, what STATEMENT TABLE prints for each of $TABLES, and deletes the rows whose key is not in staging.TABLE$SOURCE
merge() {
    {
        echo "BEGIN;"
        for table in $parents_first; do ! changed "$table" || "$1" "$table"; done
        for table in $children_first; do
            ! changed "$table" || echo "DELETE FROM master.$table t WHERE NOT EXISTS (SELECT FROM staging.$table$2 s WHERE $(same_key "$table"));"
        done
        echo "COMMIT; DROP SCHEMA staging CASCADE;"
    } >"$WORK/merge.sql"
    target_sql -c "SET client_min_messages = warning" -f "$WORK/merge.sql"
}
