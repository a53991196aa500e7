-- Servers and user mappings: their options, which tables they cover, and
-- what happens to them when tables are bound to them.  Nothing of this is
-- committed, and so nothing published.

\set ON_ERROR_ROLLBACK on
BEGIN;
CREATE ROLE stores_user;
CREATE ROLE stores_admin;
GRANT USAGE ON FOREIGN DATA WRAPPER deltatx_store TO stores_admin;

-- Options.
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store;
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 'ftp', location 's3://bucket');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 'azure', location 'abfss://c@a.dfs.core.windows.net/');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 'file:///srv');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://Bucket/x');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket/a b');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', secret_access_key 'NotToBeShown');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', region 'eu-west-1.evil.example');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', path_style 'perhaps');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', endpoint 'store.example');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', endpoint 'https://user:NotToBeShown@store.example');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', endpoint 'https://store.example/path');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', ca_file 'relative.pem');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', sse 'none');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', sse 'AES256', sse_kms_key_id 'x');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 'local', location 'file:///srv', region 'x');
ALTER FOREIGN DATA WRAPPER deltatx_store OPTIONS (ADD x 'y');

CREATE SERVER stores_lake FOREIGN DATA WRAPPER deltatx_store
	OPTIONS (type 's3', location 's3://stores-lake/', region 'eu-west-1', endpoint 'https://127.0.0.1:1', path_style 'true',
		ca_file '/dev/null', sse 'aws:kms', sse_kms_key_id 'arn:aws:kms:eu-west-1:1:key/2');
CREATE SERVER stores_shop FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://stores-lake/shop');
CREATE SERVER stores_local FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 'local', location 'file:///nonexistent/stores');

CREATE USER MAPPING FOR PUBLIC SERVER stores_lake;
CREATE USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (access_key_id 'x');
CREATE USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (secret_access_key 'NotToBeShown');
CREATE USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (access_key_id 'x', secret_access_key 'Not To Be Shown');
CREATE USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (access_key_id 'x', secret_access_key 'y', profile 'z');
CREATE USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (region 'x');
CREATE USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (access_key_id 'x', secret_access_key 'y', session_token 'z');
ALTER USER MAPPING FOR PUBLIC SERVER stores_lake OPTIONS (DROP secret_access_key);

-- What only superusers may set.
SET ROLE stores_admin;
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', endpoint 'http://169.254.169.254');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', platform_identity 'true');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://bucket', ca_file '/etc/passwd');
CREATE SERVER bad FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 'local', location 'file:///');
CREATE SERVER stores_own FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://stores-own');
CREATE USER MAPPING FOR stores_admin SERVER stores_own OPTIONS (credentials_file '/etc/passwd');
CREATE USER MAPPING FOR stores_admin SERVER stores_own OPTIONS (profile 'default');
CREATE USER MAPPING FOR stores_admin SERVER stores_own OPTIONS (access_key_id 'x', secret_access_key 'y');
ALTER SERVER stores_own OPTIONS (ADD region 'us-west-2');
RESET ROLE;

-- Locations, and the servers that cover them.
SELECT deltatx_create_table('stores.x', 's3://no-server/t', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3a://stores-lake/t', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://stores-lake', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://stores-lake//', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://stores..lake/t', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://STORES/t', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://stores-lake/a//b', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://stores-lake/a%20b', 'id bigint');
SELECT deltatx_create_table('stores.x', 's3://stores-lake/' || repeat('x', 701), 'id bigint');
SELECT deltatx_create_table('stores.x', 'gs://bucket/t', 'id bigint');

SELECT deltatx_create_table('stores.wide', 's3://stores-lake/t/', 'id bigint') IS NOT NULL AS created;
SELECT deltatx_create_table('stores.shop', 's3://stores-lake/shop/t', 'id bigint') IS NOT NULL AS created;
SELECT deltatx_create_table('stores.shopping', 's3://stores-lake/shopping/t', 'id bigint') IS NOT NULL AS created;
SELECT deltatx_create_table('stores.x', 's3://stores-lake/t/below', 'id bigint');
SELECT table_name, location, server_name FROM deltatx.dl_tables WHERE table_name LIKE 'stores.%' ORDER BY 1;

SET ROLE stores_user;
SELECT deltatx_create_table('stores.user', 's3://stores-lake/user', 'id bigint');
SELECT deltatx_create_table('stores.user', 'file:///nonexistent/stores/user', 'id bigint');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER stores_local TO stores_user;
SET ROLE stores_user;
SELECT deltatx_create_table('stores.user', 'file:///nonexistent/stores/user', 'id bigint') IS NOT NULL AS created;
SELECT deltatx_create_table('stores.outside', 'file:///nonexistent/storesx', 'id bigint');
RESET ROLE;

CREATE SERVER stores_twin FOREIGN DATA WRAPPER deltatx_store OPTIONS (type 's3', location 's3://stores-lake/shop');
SELECT deltatx_create_table('stores.x', 's3://stores-lake/shop/x', 'id bigint');
DROP SERVER stores_twin;

-- A rename is followed, a drop refused.
ALTER SERVER stores_shop RENAME TO stores_store;
ALTER SERVER stores_store OPTIONS (ADD region 'eu-central-1');
SELECT table_name, server_name FROM deltatx.dl_tables WHERE table_name LIKE 'stores.%' ORDER BY 1;
SAVEPOINT renamed;
ALTER SERVER stores_store RENAME TO stores_else;
ROLLBACK TO SAVEPOINT renamed;
SELECT server_name FROM deltatx.dl_tables WHERE table_name = 'stores.shop';
DROP SERVER stores_store;
DROP SERVER stores_lake CASCADE;
DROP SERVER stores_own CASCADE;

-- All tables of a server at once.
SELECT deltatx_pause(server => 'no_such_server');
SELECT deltatx_resume(server => 'stores_lake');
SELECT deltatx_pause(server => 'stores_lake');

-- The extension takes its servers with it, if told so.
DROP EXTENSION deltatx;
SET LOCAL client_min_messages = warning;
DROP EXTENSION deltatx CASCADE;
SELECT count(*) FROM pg_foreign_server WHERE srvname LIKE 'stores%';
ROLLBACK;
