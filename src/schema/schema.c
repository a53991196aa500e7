/*-------------------------------------------------------------------------
 *
 * schema.c
 *	  The schemaString of a metaData action: to a DeltaSchema and back.
 *
 * The string is a JSON document of Spark's making:
 *
 *	{"type":"struct","fields":[{"name":"id","type":"long","nullable":false,"metadata":{}}]}
 *
 * A field's metadata belongs to whoever put it there: it is kept as it is
 * written, keys in their order and numbers in their spelling.
 *
 * Everything is made in a context of its own first: a schema may be kept for
 * as long as a session lives, what it was made from need not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "action/json_reader.h"
#include "schema/types.h"

#define FIELD	"schemaString"

/* Where in the schema we are. */
typedef struct SchemaPlace
{
	const char *path;			/* "a.element.b"; NULL: the table itself */
	int			depth;			/* of types in types */
} SchemaPlace;

/* The members of a type that is written as an object, in whatever order they come. */
typedef struct TypeParts
{
	char	   *kind;
	DeltaType  *element;
	DeltaType  *key;
	DeltaType  *value;
	DeltaSchema *fields;
	bool		has_contains_null;
	bool		contains_null;
	bool		has_value_contains_null;
	bool		value_contains_null;
} TypeParts;

static DeltaSchema *parse_document(const char *schema_string, const DocumentPlace *place);
static DeltaSchema *fields_from(JsonReader *reader, SchemaPlace at);
static void field_from(JsonReader *reader, DeltaField *field, SchemaPlace at);
static char *metadata_from(JsonReader *reader, SchemaPlace at);
static DeltaType *type_from(JsonReader *reader, SchemaPlace at);
static DeltaType *primitive_named(JsonReader *reader, const char *name, SchemaPlace at);
static DeltaType *decimal_named(JsonReader *reader, const char *name, SchemaPlace at);
static DeltaType *nested_from(JsonReader *reader, SchemaPlace at);
static void type_member(JsonReader *reader, TypeParts *parts, SchemaPlace at);
static DeltaType *type_of_parts(JsonReader *reader, const TypeParts *parts, SchemaPlace at);
static DeltaType *array_of_parts(JsonReader *reader, const TypeParts *parts, SchemaPlace at);
static DeltaType *map_of_parts(JsonReader *reader, const TypeParts *parts, SchemaPlace at);
static SchemaPlace within(SchemaPlace at, const char *name);
static const char *member_of(SchemaPlace at, const char *member);
static void require(JsonReader *reader, bool present, const char *member, SchemaPlace at);
static void refuse_type(JsonReader *reader, const char *type, SchemaPlace at) pg_attribute_noreturn();
static void append_struct(StringInfo out, const DeltaSchema *schema);
static void append_type(StringInfo out, const DeltaType *type);

DeltaSchema *
deltatx_schema_parse(const char *schema_string, const DocumentPlace *place)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "deltatx schemaString",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	DeltaSchema *schema = parse_document(schema_string, place);

	deltatx_schema_check(schema, FIELD, place);

	MemoryContextSwitchTo(caller);
	schema = deltatx_schema_copy(schema);
	MemoryContextDelete(scratch);
	return schema;
}

char *
deltatx_schema_to_string(const DeltaSchema *schema)
{
	StringInfoData out;

	initStringInfo(&out);
	append_struct(&out, schema);
	return out.data;
}

/*
 * Strings are wanted decoded, but where the document is a member of an action,
 * its errors are errors of that member, not of the action's document.
 */
static DeltaSchema *
parse_document(const char *schema_string, const DocumentPlace *place)
{
	SchemaPlace top = {NULL, 0};
	JsonReader	reader;
	DeltaType  *type;

	if (schema_string[strspn(schema_string, " \t\n\r")] != '{')
		deltatx_refuse(place, FIELD, NULL, "%s must be a JSON object", FIELD);

	deltatx_json_open(&reader, schema_string, strlen(schema_string), place, NULL);
	if (place->action != NULL)
		reader.embedded = FIELD;
	type = type_from(&reader, top);
	deltatx_json_expect_end(&reader);

	if (type->kind != DELTA_STRUCT)
		deltatx_refuse(place, FIELD, NULL, "%s must be a struct, not %s", FIELD,
					   deltatx_type_to_string(type));
	return &type->fields;
}

static DeltaSchema *
fields_from(JsonReader *reader, SchemaPlace at)
{
	DeltaSchema *schema = palloc0(sizeof(DeltaSchema));
	int			allocated = 16;
	bool		first;

	schema->fields = palloc(allocated * sizeof(DeltaField));
	deltatx_json_enter_array(reader, &first, member_of(at, "fields"));
	while (deltatx_json_next_element(reader, &first))
	{
		if (schema->nfields == allocated)
		{
			allocated *= 2;
			schema->fields = repalloc(schema->fields, allocated * sizeof(DeltaField));
		}
		field_from(reader, &schema->fields[schema->nfields], at);
		schema->nfields++;
	}
	return schema;
}

static void
field_from(JsonReader *reader, DeltaField *field, SchemaPlace at)
{
	SchemaPlace here = at;
	JsonObject	object;
	bool		has_nullable = false;

	*field = (DeltaField) {.metadata = "{}"};
	deltatx_json_enter_object(reader, &object, member_of(at, "fields"));
	while (deltatx_json_next_member(reader, &object))
	{
		const char *member = reader->key.data;

		if (strcmp(member, "name") == 0)
		{
			field->name = deltatx_json_string(reader, member_of(here, "name"));
			here = within(at, field->name);
		}
		else if (strcmp(member, "type") == 0)
			field->type = type_from(reader, here);
		else if (strcmp(member, "nullable") == 0)
		{
			field->nullable = deltatx_json_boolean(reader, member_of(here, "nullable"));
			has_nullable = true;
		}
		else if (strcmp(member, "metadata") == 0)
			field->metadata = metadata_from(reader, here);
		else
			deltatx_json_skip(reader);
	}
	require(reader, field->name != NULL, "name", here);
	require(reader, field->type != NULL, "type", here);
	require(reader, has_nullable, "nullable", here);
}

static char *
metadata_from(JsonReader *reader, SchemaPlace at)
{
	const char *start = deltatx_json_here(reader);
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, member_of(at, "metadata"));
	while (deltatx_json_next_member(reader, &object))
		deltatx_json_skip(reader);
	return deltatx_json_since(reader, start);
}

static DeltaType *
type_from(JsonReader *reader, SchemaPlace at)
{
	if (deltatx_json_token(reader) == JSON_TOKEN_STRING)
		return primitive_named(reader, deltatx_json_string(reader, FIELD), at);
	return nested_from(reader, at);
}

static DeltaType *
primitive_named(JsonReader *reader, const char *name, SchemaPlace at)
{
	DeltaTypeKind kind;

	if (strncmp(name, "decimal", strlen("decimal")) == 0)
		return decimal_named(reader, name, at);
	if (!deltatx_type_kind_named(name, &kind))
		refuse_type(reader, name, at);
	return deltatx_type_make(kind);
}

/* "decimal(10,2)"; "decimal" alone is Spark's decimal(10,0). */
static DeltaType *
decimal_named(JsonReader *reader, const char *name, SchemaPlace at)
{
	int			precision = 10;
	int			scale = 0;
	int			end = 0;

	if (strcmp(name, "decimal") != 0)
	{
		if (sscanf(name, "decimal( %9d , %9d )%n", &precision, &scale, &end) != 2 ||
			end == 0 || name[end] != '\0')
			refuse_type(reader, name, at);
	}
	if (precision < 1 || precision > DELTA_MAX_PRECISION || scale < 0 || scale > precision)
		deltatx_refuse(&reader->place, FIELD, NULL,
					   "%s is %s: precision must be 1 to %d, scale 0 to the precision",
					   member_of(at, "type"), name, DELTA_MAX_PRECISION);
	return deltatx_type_decimal(precision, scale);
}

static DeltaType *
nested_from(JsonReader *reader, SchemaPlace at)
{
	TypeParts	parts = {NULL};
	JsonObject	object;

	if (++at.depth > SCHEMA_MAX_DEPTH + 1)
		deltatx_refuse(&reader->place, FIELD, NULL,
					   "types are nested more than %d levels deep", SCHEMA_MAX_DEPTH);

	deltatx_json_enter_object(reader, &object, member_of(at, "type"));
	while (deltatx_json_next_member(reader, &object))
		type_member(reader, &parts, at);
	return type_of_parts(reader, &parts, at);
}

static void
type_member(JsonReader *reader, TypeParts *parts, SchemaPlace at)
{
	const char *member = reader->key.data;

	if (strcmp(member, "type") == 0)
		parts->kind = deltatx_json_string(reader, member_of(at, "type"));
	else if (strcmp(member, "fields") == 0)
		parts->fields = fields_from(reader, at);
	else if (strcmp(member, "elementType") == 0)
		parts->element = type_from(reader, within(at, "element"));
	else if (strcmp(member, "keyType") == 0)
		parts->key = type_from(reader, within(at, "key"));
	else if (strcmp(member, "valueType") == 0)
		parts->value = type_from(reader, within(at, "value"));
	else if (strcmp(member, "containsNull") == 0)
	{
		parts->contains_null = deltatx_json_boolean(reader, member_of(at, "containsNull"));
		parts->has_contains_null = true;
	}
	else if (strcmp(member, "valueContainsNull") == 0)
	{
		parts->value_contains_null = deltatx_json_boolean(reader, member_of(at, "valueContainsNull"));
		parts->has_value_contains_null = true;
	}
	else
		deltatx_json_skip(reader);
}

static DeltaType *
type_of_parts(JsonReader *reader, const TypeParts *parts, SchemaPlace at)
{
	DeltaType  *type;

	require(reader, parts->kind != NULL, "type", at);
	if (strcmp(parts->kind, "array") == 0)
		return array_of_parts(reader, parts, at);
	if (strcmp(parts->kind, "map") == 0)
		return map_of_parts(reader, parts, at);
	if (strcmp(parts->kind, "struct") != 0)
		refuse_type(reader, parts->kind, at);

	require(reader, parts->fields != NULL, "fields", at);
	type = deltatx_type_make(DELTA_STRUCT);
	type->fields = *parts->fields;
	return type;
}

static DeltaType *
array_of_parts(JsonReader *reader, const TypeParts *parts, SchemaPlace at)
{
	DeltaType  *type;

	require(reader, parts->element != NULL, "elementType", at);
	require(reader, parts->has_contains_null, "containsNull", at);
	type = deltatx_type_array(parts->element);
	type->contains_null = parts->contains_null;
	return type;
}

static DeltaType *
map_of_parts(JsonReader *reader, const TypeParts *parts, SchemaPlace at)
{
	DeltaType  *type;

	require(reader, parts->key != NULL, "keyType", at);
	require(reader, parts->value != NULL, "valueType", at);
	require(reader, parts->has_value_contains_null, "valueContainsNull", at);
	type = deltatx_type_map(parts->key, parts->value);
	type->contains_null = parts->value_contains_null;
	return type;
}

static SchemaPlace
within(SchemaPlace at, const char *name)
{
	at.path = deltatx_column_path(at.path, name);
	return at;
}

/* "schemaString.a.element.nullable", for errors */
static const char *
member_of(SchemaPlace at, const char *member)
{
	return psprintf("%s.%s", FIELD, within(at, member).path);
}

static void
require(JsonReader *reader, bool present, const char *member, SchemaPlace at)
{
	if (!present)
		deltatx_refuse(&reader->place, FIELD, NULL, "%s is missing", member_of(at, member));
}

static void
refuse_type(JsonReader *reader, const char *type, SchemaPlace at)
{
	DocumentPlace place = reader->place;
	const char *hint = NULL;

	place.condition = DTX_UNSUPPORTED_FEATURE;
	if (strncmp(type, "varchar(", 8) == 0 || strncmp(type, "char(", 5) == 0)
		hint = "Use \"string\", and say the length in the field's metadata, key __CHAR_VARCHAR_TYPE_STRING.";
	deltatx_refuse(&place, FIELD, hint, "%s is \"%s\", which is not supported",
				   member_of(at, "type"), type);
}

static void
append_struct(StringInfo out, const DeltaSchema *schema)
{
	appendStringInfoString(out, "{\"type\":\"struct\",\"fields\":[");
	for (int i = 0; i < schema->nfields; i++)
	{
		const DeltaField *field = &schema->fields[i];

		appendStringInfoString(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		deltatx_json_append_string(out, field->name);
		appendStringInfoString(out, ",\"type\":");
		append_type(out, field->type);
		appendStringInfo(out, ",\"nullable\":%s,\"metadata\":%s}",
						 field->nullable ? "true" : "false", field->metadata);
	}
	appendStringInfoString(out, "]}");
}

static void
append_type(StringInfo out, const DeltaType *type)
{
	const char *contains_null = type->contains_null ? "true" : "false";

	check_stack_depth();

	switch (type->kind)
	{
		case DELTA_STRUCT:
			append_struct(out, &type->fields);
			break;
		case DELTA_ARRAY:
			appendStringInfoString(out, "{\"type\":\"array\",\"elementType\":");
			append_type(out, type->element);
			appendStringInfo(out, ",\"containsNull\":%s}", contains_null);
			break;
		case DELTA_MAP:
			appendStringInfoString(out, "{\"type\":\"map\",\"keyType\":");
			append_type(out, type->key);
			appendStringInfoString(out, ",\"valueType\":");
			append_type(out, type->element);
			appendStringInfo(out, ",\"valueContainsNull\":%s}", contains_null);
			break;
		default:
			appendStringInfo(out, "\"%s\"", deltatx_type_to_string(type));
	}
}
