-- Files to add, as rows: n numbers the documents that they are staged in.

CREATE TABLE source (n integer, LIKE deltatx.dl_add_files);
CREATE INDEX ON source (n);

-- $1 documents of $2 files each, whose paths nobody has used before.
CREATE FUNCTION fill_source(documents integer, files integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE source;
	INSERT INTO source (n, commit_id, ord, path, partition_values, size, modification_time, num_records,
		data_change, stats)
	SELECT n, 0, ord, 'part-' || lpad(ord::text, 5, '0') || '-' || gen_random_uuid() || '-c000.snappy.parquet', '{}',
		1000000 + ord, 1700000000000 + ord, 1000, true,
		format('{"numRecords":1000,"minValues":{"id":%s,"name":"aardvark"},"maxValues":{"id":%s,"name":"zebra"},"nullCount":{"id":0,"name":17}}',
			ord * 1000, ord * 1000 + 999)
	FROM generate_series(1, documents) n, generate_series(0, files - 1) ord;
	ANALYZE source;
END
$$;

CREATE FUNCTION documents(separator text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT string_agg(deltatx.add_line(path, partition_values, size, modification_time, data_change, stats,
		deletion_vector, extra), separator ORDER BY ord)
	FROM source GROUP BY n ORDER BY n
$$;
