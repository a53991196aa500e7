-- Tables: create, alter, rename, drop, and the view of them.

CREATE FUNCTION deltatx.may_use(owner_name text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'deltatx_may_use' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION deltatx.may_use(text) IS 'internal: whether the current user may use the tables of an owner';

CREATE FUNCTION @extschema@.deltatx_create_table(
	table_name text, location text, columns text, partition_columns text[] = '{}',
	properties jsonb = '{}', description text = NULL)
	RETURNS uuid
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_create_table(text, text, text, text[], jsonb, text) IS
	'creates a Delta table with its version 0; returns its Delta table id';

CREATE FUNCTION @extschema@.deltatx_alter_table(
	table_name text, add_columns text = NULL, set_properties jsonb = NULL,
	unset_properties text[] = NULL, description text = NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_alter_table(text, text, jsonb, text[], text) IS
	'adds columns, sets or unsets properties; returns the new version, NULL when staged in the open transaction';

CREATE FUNCTION @extschema@.deltatx_rename_table(table_name text, new_name text)
	RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_rename_table(text, text) IS
	'gives a table another name; its location stays';

CREATE FUNCTION @extschema@.deltatx_drop_table(table_name text, purge boolean = false)
	RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_drop_table(text, boolean) IS
	'drops a table from the catalog once its versions are published; its files stay';

CREATE VIEW deltatx.tables WITH (security_barrier) AS
	SELECT t.table_name, t.location,
		CASE WHEN t.delta_id OPERATOR(pg_catalog.~) '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
			THEN t.delta_id::pg_catalog.uuid END AS table_id,
		h.current_version, h.num_files AS files, h.num_bytes AS bytes,
		m.schema_string::pg_catalog.jsonb AS schema, m.partition_columns,
		pg_catalog.jsonb_object(m.configuration_keys, m.configuration_values) AS properties,
		pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
			'minReaderVersion', p.min_reader, 'minWriterVersion', p.min_writer,
			'readerFeatures', p.reader_features, 'writerFeatures', p.writer_features)) AS protocol,
		t.owner_name AS owner
	FROM deltatx.dl_tables t
	JOIN deltatx.dl_table_heads h ON h.table_id OPERATOR(pg_catalog.=) t.table_id
	JOIN deltatx.dl_metadata_updates m ON m.table_id OPERATOR(pg_catalog.=) h.table_id
		AND m.version OPERATOR(pg_catalog.=) h.metadata_version
	JOIN deltatx.dl_protocol_updates p ON p.table_id OPERATOR(pg_catalog.=) h.table_id
		AND p.version OPERATOR(pg_catalog.=) h.protocol_version
	WHERE t.dropped_at IS NULL
		AND (deltatx.may_use(t.owner_name) OR pg_catalog.pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON VIEW deltatx.tables IS 'the Delta tables that the current user may use, as of their newest version';
GRANT SELECT ON deltatx.tables TO PUBLIC;
