-- Reading: files, history, log, version.

CREATE FUNCTION @extschema@.deltatx_version(table_name text, as_of timestamptz = NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.deltatx_version(text, timestamptz) IS
	'newest version of a table, or the one that was current at a time';

CREATE FUNCTION @extschema@.deltatx_log(table_name text, version bigint)
	RETURNS SETOF text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.deltatx_log(text, bigint) IS
	'lines of a version''s commit file, exactly as they are published';

CREATE FUNCTION deltatx.readable_table(table_name text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'deltatx_readable_table' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION deltatx.readable_table(text) IS 'internal: id of a table that the current user may use';

CREATE FUNCTION deltatx.readable_version(table_name text, version bigint, as_of timestamptz) RETURNS bigint
	AS 'MODULE_PATHNAME', 'deltatx_readable_version' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION deltatx.readable_version(text, bigint, timestamptz) IS 'internal: the version that a question means';

CREATE FUNCTION deltatx.partition_matches(table_name text, partition_filter jsonb, partition_values text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'deltatx_partition_matches' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION deltatx.partition_matches(text, jsonb, text) IS 'internal: whether a file lies in the partitions of a filter';

CREATE FUNCTION deltatx.jsonb_or_null(document text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'deltatx_jsonb_or_null' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION deltatx.jsonb_or_null(text) IS 'internal: JSON text as jsonb, NULL where jsonb cannot hold it';

CREATE FUNCTION deltatx.add_line(path text, partition_values text, size bigint, modification_time bigint,
	data_change boolean, stats text, deletion_vector text, extra text) RETURNS text
	AS 'MODULE_PATHNAME', 'deltatx_add_line' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION deltatx.add_line(text, text, bigint, bigint, boolean, text, text, text) IS 'internal: the log line of an add action';

CREATE FUNCTION deltatx.file_uri(location text, path text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN path OPERATOR(pg_catalog.~) '^[A-Za-z][A-Za-z0-9+.-]*:' THEN path
		ELSE location OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) path END;
COMMENT ON FUNCTION deltatx.file_uri(text, text) IS 'internal: what a client opens: location and path joined, or an absolute path';

CREATE FUNCTION deltatx.stamp_to_timestamptz(stamp bigint) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN 'epoch'::timestamptz OPERATOR(pg_catalog.+)
		(stamp OPERATOR(pg_catalog.*) '1 millisecond'::interval);
COMMENT ON FUNCTION deltatx.stamp_to_timestamptz(bigint) IS 'internal: milliseconds since 1970 as a timestamp';

-- The live set.  What a query doesn't ask for is not read: the joins are outer
-- ones to unique keys, which the planner then leaves out.
CREATE VIEW deltatx.live_files WITH (security_barrier) AS
	SELECT l.table_id, t.table_name, l.path, l.size,
		a.partition_values, a.num_records, a.stats, a.modification_time, a.data_change,
		a.deletion_vector, a.extra, v.version AS added_version, t.location
	FROM deltatx.dl_tables t
	JOIN deltatx.dl_live_files l ON l.table_id OPERATOR(pg_catalog.=) t.table_id
	LEFT JOIN deltatx.dl_add_files a ON a.commit_id OPERATOR(pg_catalog.=) l.commit_id
		AND a.ord OPERATOR(pg_catalog.=) l.ord
	LEFT JOIN deltatx.dl_table_versions v ON v.commit_id OPERATOR(pg_catalog.=) l.commit_id
	WHERE t.dropped_at IS NULL AND deltatx.may_use(t.owner_name)
		AND l.commit_id OPERATOR(pg_catalog.<>) ALL ((SELECT deltatx.staged_commits())::pg_catalog.int8[]);
COMMENT ON VIEW deltatx.live_files IS 'internal: live files of the tables that the current user may use; see deltatx_files()';
GRANT SELECT ON deltatx.live_files TO PUBLIC;

CREATE VIEW deltatx.all_files WITH (security_barrier) AS
	SELECT v.table_id, t.table_name, a.path, a.size,
		a.partition_values, a.num_records, a.stats, a.modification_time, a.data_change,
		a.deletion_vector, a.extra, v.version AS added_version, t.location,
		gone.version AS removed_version
	FROM deltatx.dl_tables t
	JOIN deltatx.dl_table_versions v ON v.table_id OPERATOR(pg_catalog.=) t.table_id
	JOIN deltatx.dl_add_files a ON a.commit_id OPERATOR(pg_catalog.=) v.commit_id
	LEFT JOIN (deltatx.dl_remove_files r
		JOIN deltatx.dl_table_versions gone ON gone.commit_id OPERATOR(pg_catalog.=) r.commit_id)
		ON r.add_commit_id OPERATOR(pg_catalog.=) a.commit_id AND r.add_ord OPERATOR(pg_catalog.=) a.ord
		AND gone.table_id OPERATOR(pg_catalog.=) v.table_id
	WHERE t.dropped_at IS NULL AND deltatx.may_use(t.owner_name);
COMMENT ON VIEW deltatx.all_files IS 'internal: files of all versions, with the version that removed each; see deltatx_files()';
GRANT SELECT ON deltatx.all_files TO PUBLIC;

-- The look-ups of the table stand in sub-selects: so they run once, and before
-- the first row, whether there is one or not.
CREATE FUNCTION @extschema@.deltatx_files(
	table_name text, version bigint = NULL, as_of timestamptz = NULL, partition_filter jsonb = NULL)
	RETURNS TABLE (path text, size bigint, partition_values jsonb, num_records bigint, stats jsonb,
		modification_time timestamptz, deletion_vector jsonb, added_version bigint, uri text, action jsonb)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 10000
	BEGIN ATOMIC
		SELECT f.path, f.size, f.partition_values::pg_catalog.jsonb, f.num_records,
			deltatx.jsonb_or_null(f.stats), deltatx.stamp_to_timestamptz(f.modification_time),
			f.deletion_vector::pg_catalog.jsonb, f.added_version, deltatx.file_uri(f.location, f.path),
			deltatx.jsonb_or_null(deltatx.add_line(f.path, f.partition_values, f.size,
				f.modification_time, f.data_change, f.stats, f.deletion_vector, f.extra))
		FROM deltatx.live_files f
		WHERE $2 IS NULL AND $3 IS NULL
			AND (SELECT deltatx.readable_table($1)) IS NOT NULL
			AND f.table_id OPERATOR(pg_catalog.=) (SELECT deltatx.readable_table($1))
			AND ($4 IS NULL OR deltatx.partition_matches($1, $4, f.partition_values))
		UNION ALL
		SELECT f.path, f.size, f.partition_values::pg_catalog.jsonb, f.num_records,
			deltatx.jsonb_or_null(f.stats), deltatx.stamp_to_timestamptz(f.modification_time),
			f.deletion_vector::pg_catalog.jsonb, f.added_version, deltatx.file_uri(f.location, f.path),
			deltatx.jsonb_or_null(deltatx.add_line(f.path, f.partition_values, f.size,
				f.modification_time, f.data_change, f.stats, f.deletion_vector, f.extra))
		FROM deltatx.all_files f
		WHERE ($2 IS NOT NULL OR $3 IS NOT NULL)
			AND (SELECT deltatx.readable_version($1, $2, $3)) IS NOT NULL
			AND f.table_id OPERATOR(pg_catalog.=) (SELECT deltatx.readable_table($1))
			AND f.added_version OPERATOR(pg_catalog.<=) (SELECT deltatx.readable_version($1, $2, $3))
			AND (f.removed_version IS NULL
				OR f.removed_version OPERATOR(pg_catalog.>) (SELECT deltatx.readable_version($1, $2, $3)))
			AND ($4 IS NULL OR deltatx.partition_matches($1, $4, f.partition_values));
	END;
COMMENT ON FUNCTION @extschema@.deltatx_files(text, bigint, timestamptz, jsonb) IS
	'files of a table: now, at a version, or as of a time; of some partitions only';

CREATE VIEW deltatx.versions WITH (security_barrier) AS
	SELECT t.table_id, v.version, v.stamp, v.transaction_id, v.operation, v.operation_parameters,
		v.user_name, v.files_added, v.files_removed, v.is_blind_append, p.mirrored_at
	FROM deltatx.dl_tables t
	JOIN deltatx.dl_table_versions v ON v.table_id OPERATOR(pg_catalog.=) t.table_id
	LEFT JOIN deltatx.dl_published_versions p ON p.table_id OPERATOR(pg_catalog.=) v.table_id
		AND p.version OPERATOR(pg_catalog.=) v.version
	WHERE t.dropped_at IS NULL AND deltatx.may_use(t.owner_name);
COMMENT ON VIEW deltatx.versions IS 'internal: versions of the tables that the current user may use; see deltatx_history()';
GRANT SELECT ON deltatx.versions TO PUBLIC;

CREATE FUNCTION @extschema@.deltatx_history(table_name text, max_versions int = NULL)
	RETURNS TABLE (version bigint, commit_timestamp timestamptz, transaction_id uuid, operation text,
		operation_parameters jsonb, user_name text, files_added bigint, files_removed bigint,
		is_blind_append boolean, mirrored_at timestamptz)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	BEGIN ATOMIC
		SELECT v.version, deltatx.stamp_to_timestamptz(v.stamp), v.transaction_id, v.operation,
			deltatx.jsonb_or_null(v.operation_parameters), v.user_name, v.files_added, v.files_removed,
			v.is_blind_append, v.mirrored_at
		FROM deltatx.versions v
		WHERE (SELECT deltatx.readable_table($1)) IS NOT NULL
			AND v.table_id OPERATOR(pg_catalog.=) (SELECT deltatx.readable_table($1))
		ORDER BY v.version DESC
		LIMIT $2;
	END;
COMMENT ON FUNCTION @extschema@.deltatx_history(text, int) IS
	'versions of a table, newest first';
