/*-------------------------------------------------------------------------
 *
 * schema.c
 *	  The schemaString of a metaData action: to a DeltaSchema and back.
 *
 * The string is a JSON document of Spark's making:
 *
 *	{"type":"struct","fields":[{"name":"id","type":"long","nullable":false,"metadata":{}}]}
 *
 * A field's metadata belongs to whoever put it there and is kept whole.
 * Everything is made in a context of its own first: a schema may be kept for
 * as long as a session lives, what it was made from need not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"
#include "utils/memutils.h"

#include "schema/json.h"
#include "schema/types.h"

#define FIELD	"schemaString"

/* Where in the schema we are. */
typedef struct SchemaPlace
{
	const DocumentPlace *place;
	const char *column;			/* "a.element.b"; NULL: the table itself */
} SchemaPlace;

static void struct_from(DeltaSchema *schema, const JsonNode *node, SchemaPlace at);
static void field_from(DeltaField *field, const JsonNode *node, SchemaPlace at);
static DeltaType *type_from(const JsonNode *node, SchemaPlace at);
static DeltaType *primitive_from(const char *name, SchemaPlace at);
static DeltaType *decimal_from(const char *name, SchemaPlace at);
static DeltaType *nested_from(const JsonNode *node, SchemaPlace at);
static DeltaType *array_from(const JsonNode *node, SchemaPlace at);
static DeltaType *map_from(const JsonNode *node, SchemaPlace at);
static char *metadata_from(const JsonNode *node, SchemaPlace at);
static const JsonNode *member_of(const JsonNode *node, const char *key, SchemaPlace at);
static const char *string_member(const JsonNode *node, const char *key, SchemaPlace at);
static bool boolean_member(const JsonNode *node, const char *key, SchemaPlace at);
static SchemaPlace within(SchemaPlace at, const char *name);
static void refuse_type(const char *type, SchemaPlace at) pg_attribute_noreturn();
static void append_struct(StringInfo out, const DeltaSchema *schema);
static void append_type(StringInfo out, const DeltaType *type);

DeltaSchema *
deltatx_schema_parse(const char *schema_string, const DocumentPlace *place)
{
	SchemaPlace at = {place, NULL};
	DeltaSchema schema;
	DeltaSchema *result;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "deltatx schemaString",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	JsonNode   *root = deltatx_json_parse(schema_string, FIELD, place);

	if (strcmp(string_member(root, "type", at), "struct") != 0)
		deltatx_refuse(place, FIELD, NULL, "%s is not a struct", FIELD);
	struct_from(&schema, root, at);
	deltatx_schema_check(&schema, FIELD, place);

	MemoryContextSwitchTo(caller);
	result = deltatx_schema_copy(&schema);
	MemoryContextDelete(scratch);
	return result;
}

char *
deltatx_schema_to_string(const DeltaSchema *schema)
{
	StringInfoData out;

	initStringInfo(&out);
	append_struct(&out, schema);
	return out.data;
}

static void
struct_from(DeltaSchema *schema, const JsonNode *node, SchemaPlace at)
{
	const JsonNode *fields = member_of(node, "fields", at);

	if (fields->kind != JSON_TOKEN_ARRAY_START)
		deltatx_refuse(at.place, FIELD, NULL, "\"fields\" is not an array in %s", FIELD);

	schema->nfields = list_length(fields->values);
	schema->fields = palloc0(Max(schema->nfields, 1) * sizeof(DeltaField));
	for (int i = 0; i < schema->nfields; i++)
		field_from(&schema->fields[i], list_nth(fields->values, i), at);
}

static void
field_from(DeltaField *field, const JsonNode *node, SchemaPlace at)
{
	field->name = pstrdup(string_member(node, "name", at));
	at = within(at, field->name);
	field->type = type_from(member_of(node, "type", at), at);
	field->nullable = boolean_member(node, "nullable", at);
	field->metadata = metadata_from(deltatx_json_member(node, "metadata"), at);
}

static DeltaType *
type_from(const JsonNode *node, SchemaPlace at)
{
	check_stack_depth();

	if (node->kind == JSON_TOKEN_STRING)
		return primitive_from(node->text, at);
	return nested_from(node, at);
}

static DeltaType *
primitive_from(const char *name, SchemaPlace at)
{
	DeltaTypeKind kind;

	if (strncmp(name, "decimal", strlen("decimal")) == 0)
		return decimal_from(name, at);
	if (!deltatx_type_kind_named(name, &kind))
		refuse_type(name, at);
	return deltatx_type_make(kind);
}

/* "decimal(10,2)"; "decimal" alone is Spark's decimal(10,0). */
static DeltaType *
decimal_from(const char *name, SchemaPlace at)
{
	int			precision = 10;
	int			scale = 0;
	int			end = 0;

	if (strcmp(name, "decimal") != 0)
	{
		if (sscanf(name, "decimal( %9d , %9d )%n", &precision, &scale, &end) != 2 ||
			end == 0 || name[end] != '\0')
			refuse_type(name, at);
	}
	if (precision < 1 || precision > DELTA_MAX_PRECISION || scale < 0 || scale > precision)
		deltatx_refuse(at.place, FIELD, NULL,
					   "column \"%s\" has type %s: precision must be 1 to %d, scale 0 to the precision",
					   at.column, name, DELTA_MAX_PRECISION);
	return deltatx_type_decimal(precision, scale);
}

static DeltaType *
nested_from(const JsonNode *node, SchemaPlace at)
{
	const char *kind = string_member(node, "type", at);
	DeltaType  *type;

	if (strcmp(kind, "array") == 0)
		return array_from(node, at);
	if (strcmp(kind, "map") == 0)
		return map_from(node, at);
	if (strcmp(kind, "struct") != 0)
		refuse_type(kind, at);

	type = deltatx_type_make(DELTA_STRUCT);
	struct_from(&type->fields, node, at);
	return type;
}

static DeltaType *
array_from(const JsonNode *node, SchemaPlace at)
{
	DeltaType  *element = type_from(member_of(node, "elementType", at), within(at, "element"));
	DeltaType  *type = deltatx_type_array(element);

	type->contains_null = boolean_member(node, "containsNull", at);
	return type;
}

static DeltaType *
map_from(const JsonNode *node, SchemaPlace at)
{
	DeltaType  *key = type_from(member_of(node, "keyType", at), within(at, "key"));
	DeltaType  *value = type_from(member_of(node, "valueType", at), within(at, "value"));
	DeltaType  *type = deltatx_type_map(key, value);

	type->contains_null = boolean_member(node, "valueContainsNull", at);
	return type;
}

/* Old writers left it out where it was empty. */
static char *
metadata_from(const JsonNode *node, SchemaPlace at)
{
	StringInfoData out;

	if (node == NULL)
		return pstrdup("{}");
	if (node->kind != JSON_TOKEN_OBJECT_START)
		deltatx_refuse(at.place, FIELD, NULL,
					   "the metadata of column \"%s\" is not an object", at.column);

	initStringInfo(&out);
	deltatx_json_append(&out, node);
	return out.data;
}

static const JsonNode *
member_of(const JsonNode *node, const char *key, SchemaPlace at)
{
	const JsonNode *member = deltatx_json_member(node, key);

	if (member != NULL)
		return member;
	if (at.column == NULL)
		deltatx_refuse(at.place, FIELD, NULL, "\"%s\" is missing in %s", key, FIELD);
	deltatx_refuse(at.place, FIELD, NULL,
				   "\"%s\" is missing at column \"%s\" of %s", key, at.column, FIELD);
}

static const char *
string_member(const JsonNode *node, const char *key, SchemaPlace at)
{
	const JsonNode *member = member_of(node, key, at);

	if (member->kind != JSON_TOKEN_STRING)
		deltatx_refuse(at.place, FIELD, NULL, "\"%s\" is not a string in %s", key, FIELD);
	return member->text;
}

static bool
boolean_member(const JsonNode *node, const char *key, SchemaPlace at)
{
	const JsonNode *member = member_of(node, key, at);

	if (member->kind != JSON_TOKEN_TRUE && member->kind != JSON_TOKEN_FALSE)
		deltatx_refuse(at.place, FIELD, NULL,
					   "\"%s\" of column \"%s\" is not a boolean in %s", key, at.column, FIELD);
	return member->kind == JSON_TOKEN_TRUE;
}

static SchemaPlace
within(SchemaPlace at, const char *name)
{
	at.column = deltatx_column_path(at.column, name);
	return at;
}

static void
refuse_type(const char *type, SchemaPlace at)
{
	DocumentPlace place = *at.place;
	const char *hint = NULL;

	place.condition = DTX_UNSUPPORTED_FEATURE;
	if (strncmp(type, "varchar(", 8) == 0 || strncmp(type, "char(", 5) == 0)
		hint = "Use \"string\", and say the length in the field's metadata, key __CHAR_VARCHAR_TYPE_STRING.";
	deltatx_refuse(&place, FIELD, hint,
				   "column \"%s\" has type \"%s\", which is not supported", at.column, type);
}

static void
append_struct(StringInfo out, const DeltaSchema *schema)
{
	appendStringInfoString(out, "{\"type\":\"struct\",\"fields\":[");
	for (int i = 0; i < schema->nfields; i++)
	{
		const DeltaField *field = &schema->fields[i];

		appendStringInfoString(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		escape_json(out, field->name);
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
