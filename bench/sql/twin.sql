-- The same tables without the extension: the catalog's tables that a commit
-- writes, with the same columns, indexes and storage settings, in schema twin.

CREATE SCHEMA twin;
CREATE SEQUENCE twin.dl_commit_id_seq;

DO $$
DECLARE
	relation record;
BEGIN
	FOR relation IN
		SELECT relname, reloptions FROM pg_class
		WHERE relnamespace = 'deltatx'::regnamespace
			AND relname IN ('dl_tables', 'dl_table_heads', 'dl_add_files', 'dl_live_files',
				'dl_table_versions', 'dl_transactions', 'dl_mirror_queue')
			AND relkind = 'r'
	LOOP
		EXECUTE format('CREATE TABLE twin.%I (LIKE deltatx.%1$I INCLUDING ALL) WITH (%s)',
			relation.relname,
			coalesce(array_to_string(relation.reloptions, ', '), 'fillfactor = 100'));
	END LOOP;
END
$$;
