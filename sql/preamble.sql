\echo Use "CREATE EXTENSION deltatx" to load this file. \quit

-- deltatx: the install script is the concatenation of sql/preamble, catalog,
-- stores, tables, transactions, reading, cut and mirror.
--
-- The functions that people call live in the schema chosen at CREATE
-- EXTENSION; the catalog and what only we call lives in schema deltatx.  A
-- schema of that name that somebody made before us is not adopted: the next
-- statement fails.

DO $$
BEGIN
	IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION 'deltatx needs a database in UTF8, this one is in %', pg_catalog.getdatabaseencoding()
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Delta logs are UTF-8; create the database with ENCODING ''UTF8''.';
	END IF;
END
$$;

CREATE SCHEMA deltatx;
GRANT USAGE ON SCHEMA deltatx TO PUBLIC;
COMMENT ON SCHEMA deltatx IS 'catalog of the Delta tables that deltatx keeps; read it through the views, write it through the deltatx_* functions';
