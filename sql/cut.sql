-- The consistent cut across tables.

CREATE FUNCTION @extschema@.deltatx_mirror_watermark(tables text[] = NULL)
	RETURNS timestamptz
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_mirror_watermark(text[]) IS
	'time up to which every transaction is published in all of its tables, or in those given; it never falls';

CREATE FUNCTION @extschema@.deltatx_cut(tables text[] = NULL, as_of timestamptz = NULL)
	RETURNS TABLE (table_name text, location text, version bigint, commit_timestamp timestamptz)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION @extschema@.deltatx_cut(text[], timestamptz) IS
	'versions that together hold each transaction wholly or not at all, at the watermark or at a time before it';

CREATE FUNCTION deltatx.watermark_status(OUT watermark timestamptz, OUT held_by text)
	AS 'MODULE_PATHNAME', 'deltatx_watermark_status' LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION deltatx.watermark_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deltatx.watermark_status() TO pg_monitor;
COMMENT ON FUNCTION deltatx.watermark_status() IS 'internal: the watermark of all tables, and what holds it back';
