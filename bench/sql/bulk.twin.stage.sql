WITH added AS (
	INSERT INTO twin.dl_add_files
	SELECT %(commit_id)s, size, modification_time, num_records, ord + %(first_ord)s, data_change, path, partition_values, stats,
		deletion_vector, dv_id, extra
	FROM source WHERE n = %(n)s)
INSERT INTO twin.dl_live_files
SELECT t.table_id, hashtextextended(s.path, 0), s.size, %(commit_id)s, s.ord + %(first_ord)s, s.path
FROM source s, twin.dl_tables t
WHERE s.n = %(n)s AND t.table_name = %(table_name)s AND t.dropped_at IS NULL
