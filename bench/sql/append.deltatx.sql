\set a random(1, :tables - 1)
\set b random(:a + 1, :tables)
\set n random(1, 9000000000000000000)
BEGIN;
SELECT deltatx_begin();
SELECT deltatx_stage('t' || :a::text, '{"add":{"path":"part-' || :n::text || '.parquet","partitionValues":{},"size":1000,"modificationTime":1700000000000,"dataChange": true,"stats":"{\"numRecords\":10}"}}');
SELECT deltatx_stage('t' || :b::text, '{"add":{"path":"part-' || :n::text || '.parquet","partitionValues":{},"size":1000,"modificationTime":1700000000000,"dataChange": true,"stats":"{\"numRecords\":10}"}}');
SELECT * FROM deltatx_commit();
COMMIT;
