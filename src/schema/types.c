/*-------------------------------------------------------------------------
 *
 * types.c
 *	  Delta types: how they are made, named and checked.
 *
 * Every type has two names: Delta's, which schemaString uses ("long"), and
 * Spark SQL's ("bigint"), which Spark expects where a column's metadata
 * repeats its type: Delta has no char and varchar, Spark keeps them as strings
 * whose column says what they were declared as.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <wctype.h>

#include "action/json_reader.h"
#include "schema/types.h"

typedef struct TypeNames
{
	const char *delta;
	const char *sql;
} TypeNames;

static const TypeNames names[] = {
	[DELTA_STRING] = {"string", "string"},
	[DELTA_LONG] = {"long", "bigint"},
	[DELTA_INTEGER] = {"integer", "int"},
	[DELTA_SHORT] = {"short", "smallint"},
	[DELTA_BYTE] = {"byte", "tinyint"},
	[DELTA_FLOAT] = {"float", "float"},
	[DELTA_DOUBLE] = {"double", "double"},
	[DELTA_DECIMAL] = {"decimal", "decimal"},
	[DELTA_BOOLEAN] = {"boolean", "boolean"},
	[DELTA_BINARY] = {"binary", "binary"},
	[DELTA_DATE] = {"date", "date"},
	[DELTA_TIMESTAMP] = {"timestamp", "timestamp"},
	[DELTA_TIMESTAMP_NTZ] = {"timestamp_ntz", "timestamp_ntz"},
	[DELTA_VARIANT] = {"variant", "variant"},
	[DELTA_STRUCT] = {"struct", "struct"},
	[DELTA_ARRAY] = {"array", "array"},
	[DELTA_MAP] = {"map", "map"},
};

/* What schema_check is told on its way down. */
typedef struct CheckState
{
	const char *field;
	const DocumentPlace *place;
} CheckState;

static void append_type(StringInfo out, const DeltaType *type, bool sql);
static void append_struct(StringInfo out, const DeltaSchema *fields, bool sql);
static void append_sql_name(StringInfo out, const char *name);
static bool says_declared(const DeltaType *type);
static void append_member(StringInfo out, const char *key, const char *value);
static void copy_fields(DeltaSchema *to, const DeltaSchema *from);
static void check_fields(const CheckState *state, const DeltaSchema *schema,
						 const char *parent, int depth);
static void check_type(const CheckState *state, const DeltaType *type,
					   const char *path, int depth);
static void check_name(const CheckState *state, const char *name, const char *path);
static void check_unique(const CheckState *state, const DeltaSchema *schema,
						 const char *parent);
static int	compare_names(const ListCell *a, const ListCell *b);

DeltaType *
deltatx_type_make(DeltaTypeKind kind)
{
	DeltaType  *type = palloc0(sizeof(DeltaType));

	type->kind = kind;
	return type;
}

DeltaType *
deltatx_type_decimal(int precision, int scale)
{
	DeltaType  *type = deltatx_type_make(DELTA_DECIMAL);

	type->precision = precision;
	type->scale = scale;
	return type;
}

DeltaType *
deltatx_type_sized_string(const char *name, int length)
{
	DeltaType  *type = deltatx_type_make(DELTA_STRING);

	type->declared = psprintf("%s(%d)", name, length);
	return type;
}

DeltaType *
deltatx_type_array(DeltaType *element)
{
	DeltaType  *type = deltatx_type_make(DELTA_ARRAY);

	type->element = element;
	type->contains_null = true;
	return type;
}

DeltaType *
deltatx_type_map(DeltaType *key, DeltaType *value)
{
	DeltaType  *type = deltatx_type_make(DELTA_MAP);

	type->key = key;
	type->element = value;
	type->contains_null = true;
	return type;
}

DeltaType *
deltatx_type_copy(const DeltaType *type)
{
	DeltaType  *copy = palloc(sizeof(DeltaType));

	check_stack_depth();

	*copy = *type;
	if (type->element != NULL)
		copy->element = deltatx_type_copy(type->element);
	if (type->key != NULL)
		copy->key = deltatx_type_copy(type->key);
	if (type->declared != NULL)
		copy->declared = pstrdup(type->declared);
	copy_fields(&copy->fields, &type->fields);
	return copy;
}

DeltaSchema *
deltatx_schema_copy(const DeltaSchema *schema)
{
	DeltaSchema *copy = palloc(sizeof(DeltaSchema));

	copy_fields(copy, schema);
	return copy;
}

bool
deltatx_type_is_atomic(const DeltaType *type)
{
	return type->kind < DELTA_VARIANT;
}

bool
deltatx_type_kind_named(const char *name, DeltaTypeKind *kind)
{
	for (int i = 0; i < DELTA_STRUCT; i++)
	{
		if (i != DELTA_DECIMAL && strcmp(names[i].delta, name) == 0)
		{
			*kind = i;
			return true;
		}
	}
	return false;
}

const char *
deltatx_type_to_string(const DeltaType *type)
{
	StringInfoData out;

	initStringInfo(&out);
	append_type(&out, type, false);
	return out.data;
}

char *
deltatx_field_metadata(const DeltaType *type, const char *comment)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (comment != NULL)
		append_member(&out, "comment", comment);
	if (says_declared(type))
	{
		StringInfoData declared;

		initStringInfo(&declared);
		append_type(&declared, type, true);
		append_member(&out, "__CHAR_VARCHAR_TYPE_STRING", declared.data);
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

void
deltatx_schema_check(const DeltaSchema *schema, const char *field,
					 const DocumentPlace *place)
{
	CheckState	state = {field, place};

	if (schema->nfields == 0)
		deltatx_refuse(place, field, "Give the table at least one column.",
					   "a table needs at least one column");
	check_fields(&state, schema, NULL, 1);
}

/*
 * Letters beyond ASCII are folded as the database's locale knows them; ASCII
 * ones always alike, since a Turkish locale would keep I and i apart.
 */
char *
deltatx_name_folded(const char *name)
{
	int			length = strlen(name);
	pg_wchar   *wide = palloc((length + 1) * sizeof(pg_wchar));
	char	   *folded;
	int			n = pg_mb2wchar_with_len(name, wide, length);

	for (int i = 0; i < n; i++)
		wide[i] = wide[i] < 128 ? pg_ascii_tolower(wide[i]) : towlower(wide[i]);

	folded = palloc(n * MAX_MULTIBYTE_CHAR_LEN + 1);
	pg_wchar2mb_with_len(wide, folded, n);
	pfree(wide);
	return folded;
}

char *
deltatx_column_path(const char *parent, const char *name)
{
	return parent == NULL ? pstrdup(name) : psprintf("%s.%s", parent, name);
}

/* Delta's names, or Spark's where sql is set. */
static void
append_type(StringInfo out, const DeltaType *type, bool sql)
{
	check_stack_depth();

	if (sql && type->declared != NULL)
		appendStringInfoString(out, type->declared);
	else
		appendStringInfoString(out, sql ? names[type->kind].sql : names[type->kind].delta);

	switch (type->kind)
	{
		case DELTA_DECIMAL:
			appendStringInfo(out, "(%d,%d)", type->precision, type->scale);
			break;
		case DELTA_STRUCT:
			append_struct(out, &type->fields, sql);
			break;
		case DELTA_ARRAY:
			appendStringInfoChar(out, '<');
			append_type(out, type->element, sql);
			appendStringInfoChar(out, '>');
			break;
		case DELTA_MAP:
			appendStringInfoChar(out, '<');
			append_type(out, type->key, sql);
			appendStringInfoChar(out, ',');
			append_type(out, type->element, sql);
			appendStringInfoChar(out, '>');
			break;
		default:
			break;
	}
}

static void
append_struct(StringInfo out, const DeltaSchema *fields, bool sql)
{
	appendStringInfoChar(out, '<');
	for (int i = 0; i < fields->nfields; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		if (sql)
			append_sql_name(out, fields->fields[i].name);
		else
			appendStringInfoString(out, fields->fields[i].name);
		appendStringInfoChar(out, ':');
		append_type(out, fields->fields[i].type, sql);
	}
	appendStringInfoChar(out, '>');
}

/* In backticks where Spark's parser would stumble over it. */
static void
append_sql_name(StringInfo out, const char *name)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0')
	{
		appendStringInfoString(out, name);
		return;
	}

	appendStringInfoChar(out, '`');
	for (const char *c = name; *c != '\0'; c++)
	{
		if (*c == '`')
			appendStringInfoChar(out, '`');
		appendStringInfoChar(out, *c);
	}
	appendStringInfoChar(out, '`');
}

/* Is there a char or varchar in it, at any depth? */
static bool
says_declared(const DeltaType *type)
{
	check_stack_depth();

	if (type->declared != NULL)
		return true;
	if (type->element != NULL && says_declared(type->element))
		return true;
	if (type->key != NULL && says_declared(type->key))
		return true;
	for (int i = 0; i < type->fields.nfields; i++)
	{
		if (says_declared(type->fields.fields[i].type))
			return true;
	}
	return false;
}

static void
append_member(StringInfo out, const char *key, const char *value)
{
	if (out->data[out->len - 1] != '{')
		appendStringInfoChar(out, ',');
	deltatx_json_append_string(out, key);
	appendStringInfoChar(out, ':');
	deltatx_json_append_string(out, value);
}

static void
copy_fields(DeltaSchema *to, const DeltaSchema *from)
{
	to->nfields = from->nfields;
	to->fields = palloc(Max(from->nfields, 1) * sizeof(DeltaField));
	for (int i = 0; i < from->nfields; i++)
	{
		const DeltaField *field = &from->fields[i];

		to->fields[i].name = pstrdup(field->name);
		to->fields[i].type = deltatx_type_copy(field->type);
		to->fields[i].nullable = field->nullable;
		to->fields[i].metadata = pstrdup(field->metadata);
	}
}

static void
check_fields(const CheckState *state, const DeltaSchema *schema,
			 const char *parent, int depth)
{
	for (int i = 0; i < schema->nfields; i++)
	{
		const DeltaField *field = &schema->fields[i];
		char	   *path = deltatx_column_path(parent, field->name);

		check_name(state, field->name, path);
		check_type(state, field->type, path, depth);
	}
	check_unique(state, schema, parent);
}

static void
check_type(const CheckState *state, const DeltaType *type, const char *path, int depth)
{
	if (depth > SCHEMA_MAX_DEPTH)
		deltatx_refuse(state->place, state->field, NULL,
					   "types are nested more than %d levels deep", SCHEMA_MAX_DEPTH);

	if (type->kind == DELTA_STRUCT && type->fields.nfields == 0)
		deltatx_refuse(state->place, state->field, "Give the struct at least one field.",
					   "column \"%s\" is a struct without fields", path);
	if (type->kind == DELTA_STRUCT)
		check_fields(state, &type->fields, path, depth + 1);
	if (type->key != NULL)
		check_type(state, type->key, deltatx_column_path(path, "key"), depth + 1);
	if (type->element != NULL)
		check_type(state, type->element,
				   deltatx_column_path(path, type->kind == DELTA_MAP ? "value" : "element"), depth + 1);
}

/* Parquet and Spark refuse these characters in tables without column mapping. */
static void
check_name(const CheckState *state, const char *name, const char *path)
{
	if (name[0] == '\0')
		deltatx_refuse(state->place, state->field, NULL, "a column has an empty name");
	if (name[strcspn(name, " ,;{}()\n\t=")] != '\0')
		deltatx_refuse(state->place, state->field,
					   "Without column mapping, engines refuse space, tab, newline and any of \",;{}()=\" in a column's name: choose another one.",
					   "column name \"%s\" contains a character that Parquet files cannot carry",
					   path);
}

static void
check_unique(const CheckState *state, const DeltaSchema *schema, const char *parent)
{
	List	   *folded = NIL;
	const char *previous = NULL;
	ListCell   *lc;

	for (int i = 0; i < schema->nfields; i++)
		folded = lappend(folded, deltatx_name_folded(schema->fields[i].name));
	list_sort(folded, compare_names);

	foreach(lc, folded)
	{
		const char *name = lfirst(lc);

		if (previous != NULL && strcmp(previous, name) == 0)
			deltatx_refuse(state->place, state->field,
						   "Column names must differ in more than upper and lower case.",
						   "column \"%s\" is there twice", deltatx_column_path(parent, name));
		previous = name;
	}
	list_free_deep(folded);
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}
