-- What the files in test/sql share: \i test/lib/regress.sql.  All of it is
-- temporary, so that each file stands alone.

\pset format unaligned
\pset tuples_only on
\pset null NULL

-- Where tables may lie: beside the server's data directory, gone with it.
CREATE FUNCTION pg_temp.lake(name text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER AS
$$SELECT 'file://' || regexp_replace(current_setting('data_directory'), '[^/]*$', 'lake/') || name$$;

-- Create a table there, by the name of the table.
CREATE FUNCTION pg_temp.make(table_name text, columns text = 'id bigint', partition_columns text[] = '{}',
	properties jsonb = '{}') RETURNS text
LANGUAGE sql AS
$$SELECT 'made' FROM deltatx_create_table(table_name, pg_temp.lake(table_name), columns, partition_columns, properties)$$;

-- Arrays of actions, to be joined by ||.
CREATE FUNCTION pg_temp.add(path text, members jsonb = '{}') RETURNS jsonb
LANGUAGE sql IMMUTABLE AS
$$SELECT jsonb_build_array(jsonb_build_object('add', jsonb_build_object('path', path, 'partitionValues', '{}'::jsonb,
	'size', 10, 'modificationTime', 1700000000000, 'dataChange', true) || members))$$;

CREATE FUNCTION pg_temp.adds(VARIADIC paths text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS
$$SELECT jsonb_agg(pg_temp.add(path) -> 0 ORDER BY i) FROM unnest(paths) WITH ORDINALITY p (path, i)$$;

CREATE FUNCTION pg_temp.remove(path text, members jsonb = '{}') RETURNS jsonb
LANGUAGE sql IMMUTABLE AS
$$SELECT jsonb_build_array(jsonb_build_object('remove', jsonb_build_object('path', path, 'dataChange', true) || members))$$;

-- What has no fixed value: ids, and the words of PostgreSQL's JSON lexer.
CREATE FUNCTION pg_temp.stable_part(message text) RETURNS text
LANGUAGE sql IMMUTABLE AS
$$SELECT regexp_replace(regexp_replace(regexp_replace(message,
	'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '<uuid>', 'g'),
	'(malformed JSON in line \d+|does not hold JSON): .*', '\1'),
	'file:///\S*/lake/', 'file:///lake/', 'g')$$;

-- Run a statement in a subtransaction, with two parameters: "ok", or what its
-- error says.
CREATE FUNCTION pg_temp.try(statement text, a text = NULL, b text = NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	table_name text;
	message text;
	detail text;
BEGIN
	EXECUTE statement USING a, b;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS condition = CONSTRAINT_NAME, table_name = TABLE_NAME,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	IF condition = '' THEN
		RETURN SQLSTATE;
	END IF;
	RETURN concat_ws(' | ', SQLSTATE || ' ' || condition, NULLIF(table_name, ''),
		pg_temp.stable_part(message), NULLIF(pg_temp.stable_part(detail), ''));
END
$$;

-- Stage actions in the open transaction, in the same way; what succeeds is undone.
CREATE FUNCTION pg_temp.try_stage(table_name text, actions text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	result := pg_temp.try('SELECT deltatx_stage($1, $2)', table_name, actions);
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN result;
END
$$;

-- A whole transaction for one table: "version +files added -files removed".
CREATE FUNCTION pg_temp.put(table_name text, actions jsonb, mode text = 'actions') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage(table_name, actions, mode);
	SELECT format('%s +%s -%s', c.version, c.files_added, c.files_removed) INTO STRICT result FROM deltatx_commit() c;
	RETURN result;
END
$$;

-- The paths of a table's files.
CREATE FUNCTION pg_temp.files(table_name text, version bigint = NULL, partition_filter jsonb = NULL) RETURNS text
LANGUAGE sql AS
$$SELECT string_agg(path, ' ' ORDER BY path COLLATE "C") FROM deltatx_files(table_name, version, partition_filter => partition_filter)$$;

-- The versions of a table: "version: operation +files added -files removed".
CREATE FUNCTION pg_temp.history(table_name text) RETURNS SETOF text
LANGUAGE sql AS
$$SELECT format('%s: %s +%s -%s%s', version, operation, files_added, files_removed,
	CASE WHEN is_blind_append THEN ' blind' END) FROM deltatx_history(table_name) ORDER BY version$$;

-- What must hold in the catalog at the end of any transaction.
CREATE FUNCTION pg_temp.problems() RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT 'add without a version: ' || path FROM deltatx.dl_add_files a
		WHERE NOT EXISTS (SELECT FROM deltatx.dl_table_versions v WHERE v.commit_id = a.commit_id)
	UNION ALL
	SELECT 'remove without a version' FROM deltatx.dl_remove_files r
		WHERE NOT EXISTS (SELECT FROM deltatx.dl_table_versions v WHERE v.commit_id = r.commit_id)
	UNION ALL
	SELECT 'live file without a version: ' || path FROM deltatx.dl_live_files l
		WHERE NOT EXISTS (SELECT FROM deltatx.dl_table_versions v WHERE v.commit_id = l.commit_id)
	UNION ALL
	SELECT 'key without a transaction: ' || idempotency_key FROM deltatx.dl_idempotency_keys k
		WHERE fingerprint IS NULL
	UNION ALL
	SELECT 'app version without a transaction: ' || app_id FROM deltatx.dl_app_transactions
		WHERE fingerprint IS NULL
	UNION ALL
	SELECT 'live twice: ' || path FROM deltatx.dl_live_files GROUP BY table_id, path HAVING count(*) > 1
	UNION ALL
	SELECT format('table %s: versions %s to %s are %s', table_id, min(version), max(version), count(*))
		FROM deltatx.dl_table_versions v GROUP BY table_id
		HAVING count(*) <> max(version) + 1
			OR max(version) <> (SELECT current_version FROM deltatx.dl_table_heads h WHERE h.table_id = v.table_id)
	UNION ALL
	SELECT format('table %s: head counts %s files of %s bytes, there are %s of %s', h.table_id, num_files, num_bytes, n, bytes)
		FROM deltatx.dl_table_heads h,
		LATERAL (SELECT count(*) AS n, coalesce(sum(size), 0) AS bytes FROM deltatx.dl_live_files l WHERE l.table_id = h.table_id) l
		WHERE (num_files, num_bytes) IS DISTINCT FROM (n, bytes)
	UNION ALL
	SELECT format('table %s: live files are not adds less removes: %s', h.table_id, string_agg(path, ' '))
		FROM deltatx.dl_table_heads h,
		LATERAL (
			(SELECT a.path, a.commit_id, a.ord FROM deltatx.dl_table_versions v JOIN deltatx.dl_add_files a USING (commit_id)
				WHERE v.table_id = h.table_id
					AND NOT EXISTS (SELECT FROM deltatx.dl_remove_files r WHERE (r.add_commit_id, r.add_ord) = (a.commit_id, a.ord)))
			EXCEPT ALL
			SELECT path, commit_id, ord FROM deltatx.dl_live_files l WHERE l.table_id = h.table_id) d
		GROUP BY h.table_id
	UNION ALL
	SELECT format('table %s: stamp of version %s is not after the one before', table_id, version)
		FROM (SELECT table_id, version, stamp, lag(stamp) OVER (PARTITION BY table_id ORDER BY version) AS before
			FROM deltatx.dl_table_versions) v
		WHERE stamp <= before
	UNION ALL
	SELECT format('transaction %s: its versions have other stamps', x.transaction_id)
		FROM deltatx.dl_transactions x JOIN deltatx.dl_table_versions v USING (transaction_id)
		WHERE x.stamp <> v.stamp
$$;
