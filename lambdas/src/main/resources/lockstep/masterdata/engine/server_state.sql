-- What must not have changed for the server's counts and snapshots to be comparable with earlier ones: the start of the server (a restart, a
-- failover, a promoted replica and a restored copy all have another), its configuration (track_counts may have been off in between), the last
-- resets of its counts (those of the background writer are also reset by a crash that did not restart the server), the database, and the
-- extensions, which may write values differently after an update. No row on a replica, which does not count the writes that it replays, and
-- before version 15, where idle sessions may keep their counts forever.
SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), extract(epoch FROM pg_conf_load_time()),
                 extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time()),
                 coalesce(extract(epoch FROM pg_stat_get_db_stat_reset_time(d.oid)), 0), d.oid,
                 (SELECT md5(string_agg(x.extname || ':' || x.extversion, ' ' ORDER BY x.extname)) FROM pg_extension x))
FROM pg_database d
WHERE d.datname = current_database() AND NOT pg_is_in_recovery() AND current_setting('server_version_num')::int >= 150000
