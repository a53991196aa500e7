/*-------------------------------------------------------------------------
 *
 * like.c
 *	  The columns of a Delta table after those of a relation: 'LIKE orders'.
 *
 * The name is resolved as the caller would resolve it, and the caller must be
 * allowed to read the columns: a schema is information, too.  That is checked
 * before the relation is locked, as LOCK TABLE does, so that nobody queues up
 * behind a relation that he may not see.
 *
 * Types have PostgreSQL's meaning here: timestamp is without a time zone,
 * float8 has 8 bytes.  What has no equal in Delta is refused with the
 * column's name, and so is what could only be approximated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tupdesc.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "schema/lexer.h"
#include "schema/types.h"

typedef struct TypeMapping
{
	Oid			type;
	DeltaTypeKind kind;
} TypeMapping;

/* Types that need no further look at the column. */
static const TypeMapping mappings[] = {
	{BOOLOID, DELTA_BOOLEAN},
	{INT2OID, DELTA_SHORT},
	{INT4OID, DELTA_INTEGER},
	{INT8OID, DELTA_LONG},
	{FLOAT4OID, DELTA_FLOAT},
	{FLOAT8OID, DELTA_DOUBLE},
	{TEXTOID, DELTA_STRING},
	{BYTEAOID, DELTA_BINARY},
	{DATEOID, DELTA_DATE},
	{TIMESTAMPOID, DELTA_TIMESTAMP_NTZ},
	{TIMESTAMPTZOID, DELTA_TIMESTAMP},
};

/* Where we are, for errors and against types within types without end. */
typedef struct LikePlace
{
	const DocumentPlace *place;
	const char *column;			/* "a.b" */
	int			depth;
} LikePlace;

static RangeVar *relation_name(const char *text, const DocumentPlace *place);
static const char *spelt(const RangeVar *name);
static void check_readable(const RangeVar *name, Oid relation, Oid old_relation, void *arg);
static void check_kind(const RangeVar *name, char relkind, const DocumentPlace *place);
static void fields_from(DeltaSchema *schema, TupleDesc columns, Oid relation, LikePlace at);
static void field_from(DeltaField *field, Form_pg_attribute column, Oid relation, LikePlace at);
static DeltaType *type_from(Oid type, int32 typmod, LikePlace at);
static DeltaType *array_from(Oid element, int32 typmod, int dimensions, LikePlace at);
static DeltaType *composite_from(Oid type, int32 typmod, LikePlace at);
static DeltaType *decimal_from(int32 typmod, LikePlace at);
static DeltaType *string_from(Oid type, int32 typmod);
static void refuse_type(Oid type, int32 typmod, LikePlace at) pg_attribute_noreturn();

DeltaSchema *
deltatx_schema_like(const char *relation, const DocumentPlace *place)
{
	DeltaSchema *schema = palloc0(sizeof(DeltaSchema));
	LikePlace	at = {place, NULL, 0};
	RangeVar   *name = relation_name(relation, place);
	Oid			oid = RangeVarGetRelidExtended(name, AccessShareLock, RVR_MISSING_OK,
											   check_readable, (void *) place);
	Relation	opened;

	if (!OidIsValid(oid))
		deltatx_refuse(place, COLUMNS_FIELD, NULL,
					   "relation \"%s\" does not exist", spelt(name));

	opened = relation_open(oid, NoLock);
	check_kind(name, opened->rd_rel->relkind, place);
	fields_from(schema, RelationGetDescr(opened), oid, at);
	relation_close(opened, NoLock);

	deltatx_schema_check(schema, COLUMNS_FIELD, place);
	return schema;
}

static RangeVar *
relation_name(const char *text, const DocumentPlace *place)
{
	List	   *parts;
	List	   *names = NIL;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(text), '.', &parts) ||
		list_length(parts) < 1 || list_length(parts) > 3)
		deltatx_refuse(place, COLUMNS_FIELD,
					   "Name one relation, for example 'LIKE public.orders'.",
					   "\"LIKE%s\" does not name a relation", text);
	foreach(lc, parts)
		names = lappend(names, makeString(lfirst(lc)));
	return makeRangeVarFromNameList(names);
}

static const char *
spelt(const RangeVar *name)
{
	return name->schemaname == NULL ? name->relname :
		psprintf("%s.%s", name->schemaname, name->relname);
}

/* Called with the relation that the name stands for, before it is locked. */
static void
check_readable(const RangeVar *name, Oid relation, Oid old_relation, void *arg)
{
	const DocumentPlace *place = arg;
	DocumentPlace denied = *place;

	if (!OidIsValid(relation))
		return;
	if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relation, GetUserId(), ACL_SELECT, ACLMASK_ALL) == ACLCHECK_OK)
		return;

	denied.condition = DTX_PERMISSION_DENIED;
	deltatx_refuse(&denied, COLUMNS_FIELD, "Ask for SELECT on the relation.",
				   "permission denied for relation \"%s\"", spelt(name));
}

static void
check_kind(const RangeVar *name, char relkind, const DocumentPlace *place)
{
	switch (relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
		case RELKIND_PARTITIONED_TABLE:
			return;
		default:
			deltatx_refuse(place, COLUMNS_FIELD, NULL,
						   "relation \"%s\" is not a table or view", spelt(name));
	}
}

/* relation: where the columns' comments are; InvalidOid: nowhere */
static void
fields_from(DeltaSchema *schema, TupleDesc columns, Oid relation, LikePlace at)
{
	if (++at.depth > SCHEMA_MAX_DEPTH)
		deltatx_refuse(at.place, COLUMNS_FIELD, NULL,
					   "types are nested more than %d levels deep", SCHEMA_MAX_DEPTH);

	schema->fields = palloc(Max(columns->natts, 1) * sizeof(DeltaField));
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (!column->attisdropped)
			field_from(&schema->fields[schema->nfields++], column, relation, at);
	}
}

static void
field_from(DeltaField *field, Form_pg_attribute column, Oid relation, LikePlace at)
{
	Oid			element = get_element_type(column->atttypid);
	char	   *comment = NULL;

	field->name = pstrdup(NameStr(column->attname));
	at.column = deltatx_column_path(at.column, field->name);

	if (OidIsValid(element))
		field->type = array_from(element, column->atttypmod, column->attndims, at);
	else
		field->type = type_from(column->atttypid, column->atttypmod, at);

	if (OidIsValid(relation))
		comment = GetComment(relation, RelationRelationId, column->attnum);
	field->nullable = !column->attnotnull;
	field->metadata = deltatx_field_metadata(field->type, comment);
}

static DeltaType *
type_from(Oid type, int32 typmod, LikePlace at)
{
	Oid			base = getBaseTypeAndTypmod(type, &typmod);
	Oid			element = get_element_type(base);

	check_stack_depth();

	for (int i = 0; i < lengthof(mappings); i++)
	{
		if (mappings[i].type == base)
			return deltatx_type_make(mappings[i].kind);
	}
	if (base == NUMERICOID)
		return decimal_from(typmod, at);
	if (base == VARCHAROID || base == BPCHAROID)
		return string_from(base, typmod);
	if (OidIsValid(element))
		return array_from(element, typmod, 1, at);
	if (get_typtype(base) == TYPTYPE_COMPOSITE)
		return composite_from(base, typmod, at);
	refuse_type(type, typmod, at);
}

/*
 * PostgreSQL doesn't enforce how many dimensions a column was declared with,
 * and doesn't always know it: then it is one.
 */
static DeltaType *
array_from(Oid element, int32 typmod, int dimensions, LikePlace at)
{
	DeltaType  *type = type_from(element, typmod, at);

	do
		type = deltatx_type_array(type);
	while (--dimensions > 0);
	return type;
}

static DeltaType *
composite_from(Oid type, int32 typmod, LikePlace at)
{
	DeltaType  *result = deltatx_type_make(DELTA_STRUCT);
	TupleDesc	columns = lookup_rowtype_tupdesc(type, typmod);

	fields_from(&result->fields, columns, InvalidOid, at);
	ReleaseTupleDesc(columns);
	return result;
}

/* A typmod holds precision, and scale as an 11-bit signed number. */
static DeltaType *
decimal_from(int32 typmod, LikePlace at)
{
	int			precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	int			scale = (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;

	if (typmod < (int32) VARHDRSZ)
		deltatx_refuse(at.place, COLUMNS_FIELD,
					   "Give the column list instead, with a precision such as numeric(18,2).",
					   "column \"%s\" has type numeric without a precision, which has no equal in Delta",
					   at.column);
	if (precision > DELTA_MAX_PRECISION || scale < 0 || scale > precision)
		deltatx_refuse(at.place, COLUMNS_FIELD,
					   "Give the column list instead, with a type such as numeric(38,10).",
					   "column \"%s\" has type numeric(%d,%d): precision must be 1 to %d, scale 0 to the precision",
					   at.column, precision, scale, DELTA_MAX_PRECISION);
	return deltatx_type_decimal(precision, scale);
}

static DeltaType *
string_from(Oid type, int32 typmod)
{
	if (typmod < (int32) VARHDRSZ)
		return deltatx_type_make(DELTA_STRING);
	return deltatx_type_sized_string(type == BPCHAROID ? "char" : "varchar", typmod - VARHDRSZ);
}

static void
refuse_type(Oid type, int32 typmod, LikePlace at)
{
	deltatx_refuse(at.place, COLUMNS_FIELD,
				   "Give the column list instead, with text (or another type that fits), and cast the values.",
				   "column \"%s\" has type %s, which has no equal in Delta",
				   at.column, format_type_with_typemod(type, typmod));
}
