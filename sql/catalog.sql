-- The catalog.  Only src/catalog reads and writes these tables; users see
-- them through the views.  docs/internals.md, "The catalog", says why they
-- are shaped as they are.

CREATE SEQUENCE deltatx.dl_table_id_seq;
COMMENT ON SEQUENCE deltatx.dl_table_id_seq IS 'internal ids of tables';

CREATE SEQUENCE deltatx.dl_commit_id_seq;
COMMENT ON SEQUENCE deltatx.dl_commit_id_seq IS 'ids of commits: the rows of one table in one transaction, before they have a version';

-- What rarely changes about a table.
CREATE TABLE deltatx.dl_tables (
	table_id bigint PRIMARY KEY,
	table_name text COLLATE "C" NOT NULL,
	delta_id text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	server_name text COLLATE "C",
	owner_name text COLLATE "C" NOT NULL,
	created_at timestamptz NOT NULL,
	dropped_at timestamptz
);
CREATE UNIQUE INDEX dl_tables_name ON deltatx.dl_tables (table_name) WHERE dropped_at IS NULL;
CREATE UNIQUE INDEX dl_tables_location ON deltatx.dl_tables (location);
CREATE INDEX dl_tables_delta_id ON deltatx.dl_tables (delta_id);
COMMENT ON TABLE deltatx.dl_tables IS 'the Delta tables; a dropped one stays until its last version is published';
COMMENT ON COLUMN deltatx.dl_tables.delta_id IS 'metaData.id';
COMMENT ON COLUMN deltatx.dl_tables.location IS 'URI of the table''s directory, without a trailing slash';
COMMENT ON COLUMN deltatx.dl_tables.server_name IS 'foreign server that covers the location; NULL: a bare file: location';

-- The hot row of a table: locked and bumped by every commit, hence narrow,
-- and with room in its page so that bumps are HOT.
CREATE TABLE deltatx.dl_table_heads (
	table_id bigint PRIMARY KEY,
	current_version bigint NOT NULL,
	last_stamp bigint NOT NULL,
	num_files bigint NOT NULL,
	num_bytes bigint NOT NULL,
	metadata_version bigint NOT NULL,
	protocol_version bigint NOT NULL,
	shape_commit_id bigint NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE deltatx.dl_table_heads IS 'newest version of each table; its row lock is the table''s commit lock';
COMMENT ON COLUMN deltatx.dl_table_heads.last_stamp IS 'commit timestamp of the newest version, milliseconds since 1970';
COMMENT ON COLUMN deltatx.dl_table_heads.metadata_version IS 'newest version that holds a metaData action';
COMMENT ON COLUMN deltatx.dl_table_heads.protocol_version IS 'newest version that holds a protocol action';
COMMENT ON COLUMN deltatx.dl_table_heads.shape_commit_id IS 'commit_id of the newest version that holds either; never used twice, so sessions cache by it';

CREATE TABLE deltatx.dl_table_versions (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	commit_id bigint NOT NULL,
	stamp bigint NOT NULL,
	transaction_id uuid NOT NULL,
	user_name text NOT NULL,
	operation text NOT NULL,
	operation_parameters text,
	operation_metrics text,
	user_metadata text,
	tags text,
	read_version bigint,
	isolation text NOT NULL,
	is_blind_append boolean NOT NULL,
	files_added bigint NOT NULL,
	files_removed bigint NOT NULL,
	bytes_added bigint NOT NULL,
	bytes_removed bigint NOT NULL,
	controls bigint NOT NULL,
	engine_info text NOT NULL,
	serializer smallint NOT NULL,
	PRIMARY KEY (table_id, version)
);
CREATE UNIQUE INDEX dl_table_versions_commit ON deltatx.dl_table_versions (commit_id);
COMMENT ON TABLE deltatx.dl_table_versions IS 'committed versions; each binds the rows of a commit_id to a version';
COMMENT ON COLUMN deltatx.dl_table_versions.stamp IS 'in-commit timestamp, milliseconds since 1970; the same in all tables of a transaction';
COMMENT ON COLUMN deltatx.dl_table_versions.controls IS 'number of metaData, protocol, txn and domainMetadata actions';
COMMENT ON COLUMN deltatx.dl_table_versions.engine_info IS 'commitInfo.engineInfo as published';
COMMENT ON COLUMN deltatx.dl_table_versions.serializer IS 'version of the serializer that makes this version''s published bytes';

CREATE TABLE deltatx.dl_transactions (
	transaction_id uuid PRIMARY KEY,
	stamp bigint NOT NULL,
	user_name text NOT NULL,
	isolation text NOT NULL,
	table_ids bigint[] NOT NULL,
	delta_ids text[] NOT NULL,
	versions bigint[] NOT NULL,
	read_table_ids bigint[] NOT NULL,
	read_versions bigint[] NOT NULL
);
COMMENT ON TABLE deltatx.dl_transactions IS 'committed transactions, the tables they wrote and the tables they only read';
COMMENT ON COLUMN deltatx.dl_transactions.delta_ids IS 'metaData.id of the tables written: published as participants, so kept when a table is dropped';

-- Files.  Staged under a commit_id before there is a version: no other
-- transaction sees them before COMMIT, and MVCC takes them away on ROLLBACK.
CREATE TABLE deltatx.dl_add_files (
	commit_id bigint NOT NULL,
	size bigint NOT NULL,
	modification_time bigint NOT NULL,
	num_records bigint,
	ord integer NOT NULL,
	data_change boolean NOT NULL,
	path text COLLATE "C" NOT NULL,
	partition_values text COLLATE "C" NOT NULL,
	stats text COLLATE "C",
	deletion_vector text COLLATE "C",
	dv_id text COLLATE "C",
	extra text COLLATE "C",
	PRIMARY KEY (commit_id, ord)
);
COMMENT ON TABLE deltatx.dl_add_files IS 'add actions';
COMMENT ON COLUMN deltatx.dl_add_files.path IS 'raw string of the log';
COMMENT ON COLUMN deltatx.dl_add_files.partition_values IS 'JSON object';
COMMENT ON COLUMN deltatx.dl_add_files.extra IS 'all other members of the action, JSON without the outer braces';

CREATE TABLE deltatx.dl_remove_files (
	commit_id bigint NOT NULL,
	add_commit_id bigint NOT NULL,
	ord integer NOT NULL,
	add_ord integer NOT NULL,
	deletion_timestamp bigint,
	data_change boolean NOT NULL,
	superseded boolean NOT NULL DEFAULT false,
	extra text COLLATE "C",
	PRIMARY KEY (commit_id, ord)
);
COMMENT ON TABLE deltatx.dl_remove_files IS 'remove actions, each by reference to the add that it ends';
COMMENT ON COLUMN deltatx.dl_remove_files.deletion_timestamp IS 'NULL: the version''s stamp';
COMMENT ON COLUMN deltatx.dl_remove_files.superseded IS 'no action of the log: the same commit adds the file again, with other statistics or tags';

-- The live set, and what is staged to join it.  Rows are inserted at stage
-- and deleted only under the head's lock.
CREATE TABLE deltatx.dl_live_files (
	table_id bigint NOT NULL,
	path_hash bigint NOT NULL,
	size bigint NOT NULL,
	commit_id bigint NOT NULL,
	ord integer NOT NULL,
	path text COLLATE "C" NOT NULL
);
CREATE INDEX dl_live_files_path ON deltatx.dl_live_files (table_id, path_hash);
COMMENT ON TABLE deltatx.dl_live_files IS 'live files of the newest version; not unique, since two stagers of one path must not wait for each other';
COMMENT ON COLUMN deltatx.dl_live_files.path_hash IS 'hashtextextended(path, 0)';

CREATE TABLE deltatx.dl_metadata_updates (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	delta_id text NOT NULL,
	name text,
	description text,
	format_provider text NOT NULL,
	format_options text NOT NULL,
	schema_string text NOT NULL,
	partition_columns text[] NOT NULL,
	configuration_keys text[] NOT NULL,
	configuration_values text[] NOT NULL,
	created_time bigint,
	extra text,
	PRIMARY KEY (table_id, version)
);
COMMENT ON TABLE deltatx.dl_metadata_updates IS 'metaData actions';

CREATE TABLE deltatx.dl_protocol_updates (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	min_reader integer NOT NULL,
	min_writer integer NOT NULL,
	reader_features text[],
	writer_features text[],
	extra text,
	PRIMARY KEY (table_id, version)
);
COMMENT ON TABLE deltatx.dl_protocol_updates IS 'protocol actions; NULL features: the key is absent';

CREATE TABLE deltatx.dl_txn_actions (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	app_id text COLLATE "C" NOT NULL,
	app_version bigint NOT NULL,
	last_updated bigint,
	extra text,
	PRIMARY KEY (table_id, version, app_id)
);
CREATE INDEX dl_txn_actions_app ON deltatx.dl_txn_actions (table_id, app_id, version);
COMMENT ON TABLE deltatx.dl_txn_actions IS 'txn actions';

CREATE TABLE deltatx.dl_domain_metadata (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	domain text COLLATE "C" NOT NULL,
	configuration text NOT NULL,
	removed boolean NOT NULL,
	extra text,
	PRIMARY KEY (table_id, version, domain)
);
CREATE INDEX dl_domain_metadata_domain ON deltatx.dl_domain_metadata (table_id, domain, version);
COMMENT ON TABLE deltatx.dl_domain_metadata IS 'domainMetadata actions';

-- Idempotency.  A row is inserted at begin, so that a second holder waits.
CREATE TABLE deltatx.dl_idempotency_keys (
	role_name text COLLATE "C" NOT NULL,
	idempotency_key text COLLATE "C" NOT NULL,
	transaction_id uuid NOT NULL,
	fingerprint bytea,
	taken_at timestamptz NOT NULL,
	PRIMARY KEY (role_name, idempotency_key)
);
COMMENT ON TABLE deltatx.dl_idempotency_keys IS 'idempotency keys by role, and the transaction that each stands for';

CREATE TABLE deltatx.dl_app_transactions (
	role_name text COLLATE "C" NOT NULL,
	app_id text COLLATE "C" NOT NULL,
	app_version bigint NOT NULL,
	transaction_id uuid NOT NULL,
	fingerprint bytea,
	PRIMARY KEY (role_name, app_id, app_version)
);
COMMENT ON TABLE deltatx.dl_app_transactions IS 'app_id and app_version of deltatx_begin, by role, and the transaction that each stands for';

-- The mirror.
CREATE TABLE deltatx.dl_mirror_queue (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	transaction_id uuid NOT NULL,
	PRIMARY KEY (table_id, version)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE deltatx.dl_mirror_queue IS 'committed versions that are not yet published';

CREATE TABLE deltatx.dl_published_versions (
	table_id bigint NOT NULL,
	version bigint NOT NULL,
	length bigint NOT NULL,
	sha256 bytea NOT NULL,
	claimed_at timestamptz NOT NULL,
	mirrored_at timestamptz,
	PRIMARY KEY (table_id, version)
) WITH (fillfactor = 80);
COMMENT ON TABLE deltatx.dl_published_versions IS 'what a version''s commit file is, written before the first attempt to publish it';

CREATE TABLE deltatx.dl_mirror_status (
	table_id bigint PRIMARY KEY,
	mirrored_version bigint NOT NULL DEFAULT -1,
	paused boolean NOT NULL DEFAULT false,
	state text NOT NULL DEFAULT 'idle',
	state_since timestamptz NOT NULL DEFAULT pg_catalog.now(),
	attempts integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz,
	error_class text,
	last_error text,
	object text,
	last_checkpoint_version bigint
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE deltatx.dl_mirror_status IS 'how far each table is published; state is idle, retrying, failed or diverged here, the rest is derived by view mirror';

-- One row, or none.  No key: a dump's row may meet that of the worker of the
-- database that it is restored into.
CREATE TABLE deltatx.dl_mirror_horizon (
	horizon bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE deltatx.dl_mirror_horizon IS 'stamp up to which every transaction is visible; the watermark of tables is this or, if they have unpublished versions, just before the oldest of these';

-- Everything above is user data: dump it.
DO $$
DECLARE
	relation text;
BEGIN
	FOR relation IN
		SELECT c.oid::pg_catalog.regclass::text
		FROM pg_catalog.pg_class c
		WHERE c.relnamespace OPERATOR(pg_catalog.=) 'deltatx'::pg_catalog.regnamespace
			AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,S}'::"char"[])
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation::pg_catalog.regclass, '');
	END LOOP;
END
$$;
