/*-------------------------------------------------------------------------
 *
 * controls.c
 *	  The control actions of versions: metaData, protocol, txn, domainMetadata.
 *
 * These are few, and wait in memory until commit knows their version.  Rows
 * hold every known field in a column and the rest as JSON text, from which
 * the published line is made again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "catalog/arrays.h"
#include "catalog/controls.h"
#include "catalog/scope.h"

static CatalogPlan insert_metadata = {
	"INSERT INTO deltatx.dl_metadata_updates (table_id, version, delta_id, name, description,"
	" format_provider, format_options, schema_string, partition_columns,"
	" configuration_keys, configuration_values, created_time, extra)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
	13, {INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID,
	TEXTARRAYOID, TEXTARRAYOID, INT8OID, TEXTOID}
};

static CatalogPlan insert_protocol = {
	"INSERT INTO deltatx.dl_protocol_updates (table_id, version, min_reader, min_writer,"
	" reader_features, writer_features, extra)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)",
	7, {INT8OID, INT8OID, INT4OID, INT4OID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID}
};

static CatalogPlan insert_txn = {
	"INSERT INTO deltatx.dl_txn_actions (table_id, version, app_id, app_version, last_updated, extra)"
	" VALUES ($1, $2, $3, $4, $5, $6)",
	6, {INT8OID, INT8OID, TEXTOID, INT8OID, INT8OID, TEXTOID}
};

static CatalogPlan insert_domain = {
	"INSERT INTO deltatx.dl_domain_metadata (table_id, version, domain, configuration, removed, extra)"
	" VALUES ($1, $2, $3, $4, $5, $6)",
	6, {INT8OID, INT8OID, TEXTOID, TEXTOID, BOOLOID, TEXTOID}
};

static CatalogPlan select_metadata = {
	"SELECT version, delta_id, name, description, format_provider, format_options, schema_string,"
	" partition_columns, configuration_keys, configuration_values, created_time, extra"
	" FROM deltatx.dl_metadata_updates"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<=) $2"
	" ORDER BY version DESC LIMIT 1",
	2, {INT8OID, INT8OID}
};

static CatalogPlan select_protocol = {
	"SELECT version, min_reader, min_writer, reader_features, writer_features, extra"
	" FROM deltatx.dl_protocol_updates"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<=) $2"
	" ORDER BY version DESC LIMIT 1",
	2, {INT8OID, INT8OID}
};

static CatalogPlan select_txns = {
	"SELECT app_id, app_version, last_updated, extra FROM deltatx.dl_txn_actions"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2"
	" ORDER BY app_id",
	2, {INT8OID, INT8OID}
};

static CatalogPlan select_domains = {
	"SELECT domain, configuration, removed, extra FROM deltatx.dl_domain_metadata"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2"
	" ORDER BY domain",
	2, {INT8OID, INT8OID}
};

static CatalogPlan select_newest_txn = {
	"SELECT app_version, version FROM deltatx.dl_txn_actions"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND app_id OPERATOR(pg_catalog.=) $2"
	" ORDER BY version DESC LIMIT 1",
	2, {INT8OID, TEXTOID}
};

static CatalogPlan select_newest_domain = {
	"SELECT version FROM deltatx.dl_domain_metadata"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND domain OPERATOR(pg_catalog.=) $2"
	" ORDER BY version DESC LIMIT 1",
	2, {INT8OID, TEXTOID}
};

static List *features_of(HeapTuple row, int column, bool *present);
static Datum array_of(HeapTuple row, int column, bool *isnull);
static List *properties_of(HeapTuple row, int keys, int values);

void
deltatx_metadata_insert(int64 table_id, int64 version, const MetadataAction *metadata)
{
	int			n = list_length(metadata->configuration);
	char	  **keys = palloc(sizeof(char *) * Max(n, 1));
	char	  **values = palloc(sizeof(char *) * Max(n, 1));
	Datum		args[13];
	char		nulls[13];

	for (int i = 0; i < n; i++)
	{
		Property   *property = list_nth(metadata->configuration, i);

		keys[i] = property->key;
		values[i] = property->value;
	}

	memset(nulls, ' ', sizeof(nulls));
	args[0] = Int64GetDatum(table_id);
	args[1] = Int64GetDatum(version);
	args[2] = deltatx_text_datum(metadata->id);
	args[3] = deltatx_text_datum(metadata->name);
	nulls[3] = DELTATX_NULL_IF(metadata->name == NULL);
	args[4] = deltatx_text_datum(metadata->description);
	nulls[4] = DELTATX_NULL_IF(metadata->description == NULL);
	args[5] = deltatx_text_datum(metadata->format_provider);
	args[6] = deltatx_text_datum(metadata->format_options);
	args[7] = deltatx_text_datum(metadata->schema_string);
	args[8] = deltatx_text_array_of_list(metadata->partition_columns);
	args[9] = deltatx_text_array(keys, n);
	args[10] = deltatx_text_array(values, n);
	args[11] = Int64GetDatum(metadata->created_time);
	nulls[11] = DELTATX_NULL_IF(metadata->created_time < 0);
	args[12] = deltatx_text_datum(metadata->extra);
	nulls[12] = DELTATX_NULL_IF(metadata->extra == NULL);
	(void) deltatx_plan_execute(&insert_metadata, args, nulls);
}

void
deltatx_protocol_insert(int64 table_id, int64 version, const ProtocolAction *protocol)
{
	Datum		args[7];
	char		nulls[7];

	memset(nulls, ' ', sizeof(nulls));
	args[0] = Int64GetDatum(table_id);
	args[1] = Int64GetDatum(version);
	args[2] = Int32GetDatum(protocol->min_reader);
	args[3] = Int32GetDatum(protocol->min_writer);
	args[4] = deltatx_text_array_of_list(protocol->reader_features);
	nulls[4] = DELTATX_NULL_IF(!protocol->has_reader_features);
	args[5] = deltatx_text_array_of_list(protocol->writer_features);
	nulls[5] = DELTATX_NULL_IF(!protocol->has_writer_features);
	args[6] = deltatx_text_datum(protocol->extra);
	nulls[6] = DELTATX_NULL_IF(protocol->extra == NULL);
	(void) deltatx_plan_execute(&insert_protocol, args, nulls);
}

void
deltatx_txns_insert(int64 table_id, int64 version, const List *txns)
{
	ListCell   *cell;

	foreach(cell, txns)
	{
		TxnAction  *txn = lfirst(cell);
		Datum		args[6];
		char		nulls[6];

		memset(nulls, ' ', sizeof(nulls));
		args[0] = Int64GetDatum(table_id);
		args[1] = Int64GetDatum(version);
		args[2] = deltatx_text_datum(txn->app_id);
		args[3] = Int64GetDatum(txn->version);
		args[4] = Int64GetDatum(txn->last_updated);
		nulls[4] = DELTATX_NULL_IF(txn->last_updated < 0);
		args[5] = deltatx_text_datum(txn->extra);
		nulls[5] = DELTATX_NULL_IF(txn->extra == NULL);
		(void) deltatx_plan_execute(&insert_txn, args, nulls);
	}
}

void
deltatx_domains_insert(int64 table_id, int64 version, const List *domains)
{
	ListCell   *cell;

	foreach(cell, domains)
	{
		DomainAction *domain = lfirst(cell);
		Datum		args[6];
		char		nulls[6];

		memset(nulls, ' ', sizeof(nulls));
		args[0] = Int64GetDatum(table_id);
		args[1] = Int64GetDatum(version);
		args[2] = deltatx_text_datum(domain->domain);
		args[3] = deltatx_text_datum(domain->configuration);
		args[4] = BoolGetDatum(domain->removed);
		args[5] = deltatx_text_datum(domain->extra);
		nulls[5] = DELTATX_NULL_IF(domain->extra == NULL);
		(void) deltatx_plan_execute(&insert_domain, args, nulls);
	}
}

MetadataAction *
deltatx_metadata_load(int64 table_id, int64 version, bool newest)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(version)};
	MetadataAction *metadata;
	HeapTuple	row;
	bool		isnull;

	if (deltatx_plan_execute(&select_metadata, args, NULL) == 0)
		return NULL;
	row = SPI_tuptable->vals[0];
	if (!newest && deltatx_result_int64(row, 1) != version)
		return NULL;

	metadata = palloc0(sizeof(MetadataAction));
	metadata->id = deltatx_result_text(row, 2);
	metadata->name = deltatx_result_text(row, 3);
	metadata->description = deltatx_result_text(row, 4);
	metadata->format_provider = deltatx_result_text(row, 5);
	metadata->format_options = deltatx_result_text(row, 6);
	metadata->schema_string = deltatx_result_text(row, 7);
	metadata->partition_columns = deltatx_text_array_to_list(array_of(row, 8, &isnull));
	metadata->configuration = properties_of(row, 9, 10);
	metadata->created_time = deltatx_result_int64_or(row, 11, -1);
	metadata->extra = deltatx_result_text(row, 12);
	return metadata;
}

ProtocolAction *
deltatx_protocol_load(int64 table_id, int64 version, bool newest)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(version)};
	ProtocolAction *protocol;
	HeapTuple	row;

	if (deltatx_plan_execute(&select_protocol, args, NULL) == 0)
		return NULL;
	row = SPI_tuptable->vals[0];
	if (!newest && deltatx_result_int64(row, 1) != version)
		return NULL;

	protocol = palloc0(sizeof(ProtocolAction));
	protocol->min_reader = deltatx_result_int32(row, 2);
	protocol->min_writer = deltatx_result_int32(row, 3);
	protocol->reader_features = features_of(row, 4, &protocol->has_reader_features);
	protocol->writer_features = features_of(row, 5, &protocol->has_writer_features);
	protocol->extra = deltatx_result_text(row, 6);
	return protocol;
}

List *
deltatx_txns_load(int64 table_id, int64 version)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(version)};
	uint64		n = deltatx_plan_execute(&select_txns, args, NULL);
	List	   *result = NIL;

	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TxnAction  *txn = palloc(sizeof(TxnAction));

		txn->app_id = deltatx_result_text(row, 1);
		txn->version = deltatx_result_int64(row, 2);
		txn->last_updated = deltatx_result_int64_or(row, 3, -1);
		txn->extra = deltatx_result_text(row, 4);
		result = lappend(result, txn);
	}
	return result;
}

List *
deltatx_domains_load(int64 table_id, int64 version)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(version)};
	uint64		n = deltatx_plan_execute(&select_domains, args, NULL);
	List	   *result = NIL;

	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		DomainAction *domain = palloc(sizeof(DomainAction));

		domain->domain = deltatx_result_text(row, 1);
		domain->configuration = deltatx_result_text(row, 2);
		domain->removed = deltatx_result_bool(row, 3);
		domain->extra = deltatx_result_text(row, 4);
		result = lappend(result, domain);
	}
	return result;
}

int64
deltatx_txn_newest(int64 table_id, const char *app_id, int64 *version)
{
	Datum		args[2] = {Int64GetDatum(table_id), deltatx_text_datum(app_id)};

	if (deltatx_plan_execute(&select_newest_txn, args, NULL) == 0)
		return -1;
	*version = deltatx_result_int64(SPI_tuptable->vals[0], 2);
	return deltatx_result_int64(SPI_tuptable->vals[0], 1);
}

int64
deltatx_domain_newest(int64 table_id, const char *domain)
{
	Datum		args[2] = {Int64GetDatum(table_id), deltatx_text_datum(domain)};

	if (deltatx_plan_execute(&select_newest_domain, args, NULL) == 0)
		return -1;
	return deltatx_result_int64(SPI_tuptable->vals[0], 1);
}

static List *
features_of(HeapTuple row, int column, bool *present)
{
	bool		isnull;
	Datum		array = array_of(row, column, &isnull);

	*present = !isnull;
	return isnull ? NIL : deltatx_text_array_to_list(array);
}

static Datum
array_of(HeapTuple row, int column, bool *isnull)
{
	return SPI_getbinval(row, SPI_tuptable->tupdesc, column, isnull);
}

static List *
properties_of(HeapTuple row, int keys_column, int values_column)
{
	bool		isnull;
	List	   *keys = deltatx_text_array_to_list(array_of(row, keys_column, &isnull));
	List	   *values = deltatx_text_array_to_list(array_of(row, values_column, &isnull));
	List	   *result = NIL;
	ListCell   *key;
	ListCell   *value;

	forboth(key, keys, value, values)
	{
		Property   *property = palloc(sizeof(Property));

		property->key = lfirst(key);
		property->value = lfirst(value);
		result = lappend(result, property);
	}
	return result;
}
