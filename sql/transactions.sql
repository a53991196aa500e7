-- Transactions: begin, stage, read, validate, commit, roll back.

CREATE FUNCTION @extschema@.deltatx_begin(
	isolation text = NULL, timeout interval = NULL, idempotency_key text = NULL,
	operation text = NULL, user_metadata text = NULL, app_id text = NULL,
	app_version bigint = NULL, priority int = 0, on_replay text = 'return')
	RETURNS uuid
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_begin(text, interval, text, text, text, text, bigint, int, text) IS
	'opens a deltatx transaction within the PostgreSQL transaction; returns its id';

CREATE FUNCTION @extschema@.deltatx_stage(
	table_name text, actions jsonb, mode text = 'actions', read_version bigint = NULL,
	expected_version bigint = NULL, extend boolean = false, partition_filter jsonb = NULL,
	operation text = NULL, operation_parameters jsonb = NULL, enforced text[] = NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'deltatx_stage_jsonb' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_stage(text, jsonb, text, bigint, bigint, boolean, jsonb, text, jsonb, text[]) IS
	'stages Delta actions for a table, given as jsonb; returns how many';

CREATE FUNCTION @extschema@.deltatx_stage(
	table_name text, actions text, mode text = 'actions', read_version bigint = NULL,
	expected_version bigint = NULL, extend boolean = false, partition_filter jsonb = NULL,
	operation text = NULL, operation_parameters jsonb = NULL, enforced text[] = NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'deltatx_stage_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_stage(text, text, text, bigint, bigint, boolean, jsonb, text, jsonb, text[]) IS
	'stages Delta actions for a table, given as NDJSON or a JSON array; returns how many';

CREATE FUNCTION @extschema@.deltatx_stage(
	table_name text, actions json, mode text = 'actions', read_version bigint = NULL,
	expected_version bigint = NULL, extend boolean = false, partition_filter jsonb = NULL,
	operation text = NULL, operation_parameters jsonb = NULL, enforced text[] = NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'deltatx_stage_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_stage(text, json, text, bigint, bigint, boolean, jsonb, text, jsonb, text[]) IS
	'stages Delta actions for a table, given as json; returns how many';

CREATE FUNCTION @extschema@.deltatx_read(
	table_name text, version bigint = NULL, partition_filter jsonb = NULL,
	files text[] = NULL, app_ids text[] = NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_read(text, bigint, jsonb, text[], text[]) IS
	'declares that the open transaction depends on a table as of a version; returns that version';

CREATE FUNCTION @extschema@.deltatx_validate()
	RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_validate() IS
	'makes all checks of the open transaction that need no lock, now';

CREATE FUNCTION @extschema@.deltatx_commit()
	RETURNS TABLE (table_name text, version bigint, files_added bigint, files_removed bigint,
		commit_timestamp timestamptz, replayed boolean)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_commit() IS
	'commits the open transaction: one new version for each staged table, effective at COMMIT';

CREATE FUNCTION @extschema@.deltatx_rollback()
	RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_rollback() IS
	'takes back what the open transaction has staged, and closes it';

CREATE FUNCTION @extschema@.deltatx_commit_batch(
	batch jsonb, isolation text = NULL, idempotency_key text = NULL, operation text = NULL)
	RETURNS TABLE (table_name text, version bigint, files_added bigint, files_removed bigint,
		commit_timestamp timestamptz, replayed boolean)
	AS 'MODULE_PATHNAME', 'deltatx_commit_batch_jsonb' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_commit_batch(jsonb, text, text, text) IS
	'begins, stages and commits a whole transaction in one call';

CREATE FUNCTION @extschema@.deltatx_commit_batch(
	batch text, isolation text = NULL, idempotency_key text = NULL, operation text = NULL)
	RETURNS TABLE (table_name text, version bigint, files_added bigint, files_removed bigint,
		commit_timestamp timestamptz, replayed boolean)
	AS 'MODULE_PATHNAME', 'deltatx_commit_batch_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_commit_batch(text, text, text, text) IS
	'begins, stages and commits a whole transaction in one call';

CREATE FUNCTION @extschema@.deltatx_transaction_id()
	RETURNS uuid
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.deltatx_transaction_id() IS
	'id of the open deltatx transaction, NULL when none is open';

CREATE FUNCTION @extschema@.deltatx_replayed()
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.deltatx_replayed() IS
	'whether the open transaction''s idempotency key or app version was committed before';

CREATE FUNCTION @extschema@.deltatx_app_version(table_name text, app_id text)
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.deltatx_app_version(text, text) IS
	'newest version that an application recorded in a table by a txn action, NULL when none';

CREATE FUNCTION @extschema@.deltatx_new_path(
	table_name text, partition_values jsonb = '{}', suffix text = '.parquet')
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.deltatx_new_path(text, jsonb, text) IS
	'a fresh, correctly encoded relative path for a data file, in the directory of its partition';

CREATE FUNCTION deltatx.staged_commits() RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'deltatx_staged_commits' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION deltatx.staged_commits() IS 'internal: commit_ids that this session has staged and not committed';
