# shellcheck shell=bash disable=SC2034
# Sourced: the columns and conditions for merging a table.
key() { case $1 in postal_code) echo "code, seq" ;; *) echo id ;; esac; }
same_key() { case $1 in postal_code) echo "t.code = s.code AND t.seq = s.seq" ;; *) echo "t.id = s.id" ;; esac; }
values() { target_sql -c "SELECT string_agg($2, ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = 'master.$1'::regclass AND attnum > 0 AND NOT attisdropped AND NOT attname = ANY (string_to_array('$(key "$1")', ', '))"; }
parents_first="ingredient disease postal_code drug drug_interaction"
children_first="drug_interaction drug postal_code disease ingredient"
changed() { case " $TABLES " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
