#!/usr/bin/env bash
# The digest of the drugs inside the database, two parallel workers.
. "$CONTENDERS/common.sh"
source_sql -c "SET max_parallel_workers_per_gather = 2" -c "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM master.drug t"
