WITH written AS (
	SELECT table_id, commit_id FROM unnest(%(table_ids)s::bigint[], %(commit_ids)s::bigint[]) AS w (table_id, commit_id)),
locked AS (
	SELECT table_id FROM twin.dl_table_heads WHERE table_id = ANY (%(table_ids)s::bigint[]) ORDER BY table_id FOR NO KEY UPDATE),
bumped AS (
	UPDATE twin.dl_table_heads h SET current_version = h.current_version + 1, last_stamp = h.last_stamp + 1,
		num_files = h.num_files + 1000, num_bytes = h.num_bytes + 1000000000
	FROM locked WHERE h.table_id = locked.table_id
	RETURNING h.table_id, h.current_version, h.last_stamp),
versions AS (
	INSERT INTO twin.dl_table_versions (table_id, version, commit_id, stamp,
		transaction_id, user_name, operation, operation_parameters, operation_metrics,
		read_version, isolation, is_blind_append, files_added, files_removed,
		bytes_added, bytes_removed, controls, engine_info, serializer)
	SELECT table_id, current_version, commit_id, last_stamp, %(id)s, 'postgres', 'WRITE', '{"mode":"Append"}',
		'{"numFiles":"1000","numOutputBytes":"1000000000","numRemovedFiles":"0","numRemovedBytes":"0"}',
		current_version - 1, 'WriteSerializable', true, 1000, 0, 1000000000, 0, 0, 'deltatx/0.1.0', 1
	FROM bumped JOIN written USING (table_id)),
queued AS (
	INSERT INTO twin.dl_mirror_queue SELECT table_id, current_version, %(id)s FROM bumped)
INSERT INTO twin.dl_transactions
SELECT %(id)s, max(last_stamp), 'postgres', 'WriteSerializable', array_agg(table_id),
	array_agg('01a1fd9c-6a51-7372-8a00-1eb18164f121'::text), array_agg(current_version), '{}', '{}'
FROM bumped
