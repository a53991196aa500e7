-- Stores: servers say where they are and how to reach them, user mappings
-- hold the secrets.

CREATE FUNCTION deltatx.store_validator(options text[], catalog oid)
	RETURNS void
	AS 'MODULE_PATHNAME', 'deltatx_store_validator' LANGUAGE C STABLE STRICT PARALLEL SAFE;
REVOKE ALL ON FUNCTION deltatx.store_validator(text[], oid) FROM PUBLIC;
COMMENT ON FUNCTION deltatx.store_validator(text[], oid) IS 'internal: checks the options of servers and user mappings';

CREATE FOREIGN DATA WRAPPER deltatx_store NO HANDLER VALIDATOR deltatx.store_validator;
COMMENT ON FOREIGN DATA WRAPPER deltatx_store IS 'where Delta tables may lie: directories and buckets';
