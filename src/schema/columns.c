/*-------------------------------------------------------------------------
 *
 * columns.c
 *	  The columns argument of deltatx_create_table and deltatx_alter_table.
 *
 * A column list is read by a small parser of our own: no catalog look-up is
 * wanted (a Delta type is not a PostgreSQL type, and there may be no such one
 * for map<string,long>), and both dialects' names must work side by side.
 * What Delta can't hold is refused by name, never approximated.
 *
 *	list		column { "," column }
 *	column		name type { NOT NULL | NULL | COMMENT 'text' }
 *	type		base { "[" [ number ] "]" | ARRAY [ "[" number "]" ] }
 *	base		simple | sized "(" ... ")" | ARRAY "<" type ">"
 *				| MAP "<" type "," type ">" | STRUCT "<" field { "," field } ">"
 *	field		name [ ":" ] type { NOT NULL | NULL | COMMENT 'text' }
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/lexer.h"
#include "schema/types.h"

typedef struct SimpleType
{
	const char *name;
	DeltaTypeKind kind;
} SimpleType;

/* Types that take no argument, PostgreSQL's and Spark's. */
static const SimpleType simple_types[] = {
	{"bigint", DELTA_LONG}, {"int8", DELTA_LONG}, {"long", DELTA_LONG},
	{"integer", DELTA_INTEGER}, {"int", DELTA_INTEGER}, {"int4", DELTA_INTEGER},
	{"smallint", DELTA_SHORT}, {"int2", DELTA_SHORT}, {"short", DELTA_SHORT},
	{"tinyint", DELTA_BYTE}, {"byte", DELTA_BYTE},
	{"real", DELTA_FLOAT}, {"float4", DELTA_FLOAT}, {"float8", DELTA_DOUBLE},
	{"boolean", DELTA_BOOLEAN}, {"bool", DELTA_BOOLEAN},
	{"text", DELTA_STRING}, {"string", DELTA_STRING},
	{"bytea", DELTA_BINARY}, {"binary", DELTA_BINARY},
	{"date", DELTA_DATE},
	{"timestamp_ntz", DELTA_TIMESTAMP_NTZ}, {"timestamp_ltz", DELTA_TIMESTAMP},
	{"variant", DELTA_VARIANT},
};

/* Types that people will try, and that Delta has nothing equal to. */
static const char *const types_without_equal[] = {
	"uuid", "json", "jsonb", "money", "interval", "time", "timetz", "bit", "varbit",
	"inet", "cidr", "macaddr", "macaddr8", "xml", "oid", "name", "regclass", "pg_lsn",
	"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
	"int4multirange", "int8multirange", "nummultirange", "tsmultirange",
	"tstzmultirange", "datemultirange", "tsvector", "tsquery", "point", "line", "lseg",
	"box", "path", "polygon", "circle", "geometry", "geography", "hstore", "citext", "void",
};

static const char *const serial_types[] = {
	"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8",
};

/* Words of PostgreSQL's that can't be a name unquoted, and have no meaning here. */
static const char *const reserved_words[] = {
	"check", "collate", "constraint", "default", "foreign", "like", "primary",
	"references", "unique",
};

/* These say something only after a type. */
static const char *const attribute_words[] = {
	"as", "compression", "deferrable", "generated", "initially", "storage",
};

typedef DeltaType *(*BaseParser) (ColumnLexer *lexer);

typedef struct BaseType
{
	const char *name;
	BaseParser	parse;			/* what follows the name */
} BaseType;

static DeltaSchema *list_from(const char *columns, const DocumentPlace *place);
static void parse_fields(ColumnLexer *lexer, DeltaSchema *schema, bool in_struct);
static void parse_field(ColumnLexer *lexer, DeltaField *field, bool in_struct);
static void parse_attributes(ColumnLexer *lexer, DeltaField *field);
static char *parse_name(ColumnLexer *lexer);
static char *parse_comment(ColumnLexer *lexer);
static DeltaType *parse_type(ColumnLexer *lexer);
static DeltaType *parse_base(ColumnLexer *lexer);
static DeltaType *parse_array_suffix(ColumnLexer *lexer, DeltaType *type);
static void check_depth(const ColumnLexer *lexer, int depth);
static DeltaType *parse_double(ColumnLexer *lexer);
static DeltaType *parse_float(ColumnLexer *lexer);
static DeltaType *parse_decimal(ColumnLexer *lexer);
static DeltaType *parse_char(ColumnLexer *lexer);
static DeltaType *parse_varchar(ColumnLexer *lexer);
static DeltaType *parse_bpchar(ColumnLexer *lexer);
static DeltaType *parse_timestamp(ColumnLexer *lexer);
static DeltaType *parse_timestamptz(ColumnLexer *lexer);
static DeltaType *parse_array(ColumnLexer *lexer);
static DeltaType *parse_map(ColumnLexer *lexer);
static DeltaType *parse_struct(ColumnLexer *lexer);
static DeltaType *sized_string(ColumnLexer *lexer, const char *name, int default_length);
static void parse_time_precision(ColumnLexer *lexer);
static bool accept_time_zone(ColumnLexer *lexer, const char *with);
static bool is_one_of(const char *word, const char *const *words, int n);
static void refuse_type(const ColumnLexer *lexer, const char *name) pg_attribute_noreturn();
static void refuse_words(const ColumnLexer *lexer, const char *const *words, int n);

/* Types whose name is only the beginning. */
static const BaseType base_types[] = {
	{"double", parse_double}, {"float", parse_float},
	{"numeric", parse_decimal}, {"decimal", parse_decimal}, {"dec", parse_decimal},
	{"character", parse_char}, {"char", parse_char}, {"varchar", parse_varchar},
	{"bpchar", parse_bpchar},
	{"timestamp", parse_timestamp}, {"timestamptz", parse_timestamptz},
	{"array", parse_array}, {"map", parse_map}, {"struct", parse_struct},
};

DeltaSchema *
deltatx_schema_from_columns(const char *columns, const DocumentPlace *place)
{
	ColumnLexer lexer;

	if (columns[strspn(columns, " \t\n\r")] == '{')
		return deltatx_schema_parse(columns, place);

	deltatx_lexer_start(&lexer, columns, place);
	if (deltatx_lexer_at_word(&lexer, "like"))
		return deltatx_schema_like(lexer.rest, place);
	return list_from(columns, place);
}

static DeltaSchema *
list_from(const char *columns, const DocumentPlace *place)
{
	DeltaSchema *schema = palloc0(sizeof(DeltaSchema));
	ColumnLexer lexer;

	deltatx_lexer_start(&lexer, columns, place);
	parse_fields(&lexer, schema, false);
	if (lexer.token.kind != TOKEN_END)
		deltatx_lexer_refuse(&lexer, "a comma");

	deltatx_schema_check(schema, COLUMNS_FIELD, place);
	return schema;
}

/* One or more fields, of the table or of a struct. */
static void
parse_fields(ColumnLexer *lexer, DeltaSchema *schema, bool in_struct)
{
	int			allocated = 16;

	schema->fields = palloc(allocated * sizeof(DeltaField));
	do
	{
		if (schema->nfields == allocated)
		{
			allocated *= 2;
			schema->fields = repalloc(schema->fields, allocated * sizeof(DeltaField));
		}
		parse_field(lexer, &schema->fields[schema->nfields++], in_struct);
	} while (deltatx_lexer_accept_symbol(lexer, ','));
}

static void
parse_field(ColumnLexer *lexer, DeltaField *field, bool in_struct)
{
	const char *parent = lexer->column;

	refuse_words(lexer, reserved_words, lengthof(reserved_words));
	field->name = parse_name(lexer);
	if (in_struct)
		(void) deltatx_lexer_accept_symbol(lexer, ':');

	lexer->column = deltatx_column_path(parent, field->name);
	field->type = parse_type(lexer);
	lexer->column = parent;
	parse_attributes(lexer, field);
}

static void
parse_attributes(ColumnLexer *lexer, DeltaField *field)
{
	char	   *comment = NULL;

	field->nullable = true;
	for (;;)
	{
		refuse_words(lexer, reserved_words, lengthof(reserved_words));
		refuse_words(lexer, attribute_words, lengthof(attribute_words));
		if (deltatx_lexer_accept_word(lexer, "not"))
		{
			if (!deltatx_lexer_accept_word(lexer, "null"))
				deltatx_lexer_refuse(lexer, "NULL");
			field->nullable = false;
		}
		else if (deltatx_lexer_accept_word(lexer, "comment"))
			comment = parse_comment(lexer);
		else if (!deltatx_lexer_accept_word(lexer, "null"))
			break;
	}
	field->metadata = deltatx_field_metadata(field->type, comment);
}

static char *
parse_name(ColumnLexer *lexer)
{
	char	   *name = lexer->token.text;

	if (lexer->token.kind != TOKEN_WORD && lexer->token.kind != TOKEN_QUOTED)
		deltatx_lexer_refuse(lexer, "a column name");
	deltatx_lexer_next(lexer);
	return name;
}

static char *
parse_comment(ColumnLexer *lexer)
{
	char	   *comment = lexer->token.text;

	if (lexer->token.kind != TOKEN_STRING)
		deltatx_lexer_refuse(lexer, "the comment as a string in single quotes");
	deltatx_lexer_next(lexer);
	return comment;
}

static DeltaType *
parse_type(ColumnLexer *lexer)
{
	DeltaType  *type;

	check_depth(lexer, ++lexer->depth);
	type = parse_array_suffix(lexer, parse_base(lexer));
	lexer->depth--;
	return type;
}

static DeltaType *
parse_base(ColumnLexer *lexer)
{
	char	   *name = lexer->token.text;

	if (lexer->token.kind != TOKEN_WORD)
		deltatx_lexer_refuse(lexer, "a type");
	deltatx_lexer_next(lexer);

	for (int i = 0; i < lengthof(base_types); i++)
	{
		if (pg_strcasecmp(base_types[i].name, name) == 0)
			return base_types[i].parse(lexer);
	}
	for (int i = 0; i < lengthof(simple_types); i++)
	{
		if (pg_strcasecmp(simple_types[i].name, name) == 0)
			return deltatx_type_make(simple_types[i].kind);
	}
	refuse_type(lexer, name);
}

/* text[], text[3][4], text ARRAY, text ARRAY[3]: PostgreSQL ignores the sizes too. */
static DeltaType *
parse_array_suffix(ColumnLexer *lexer, DeltaType *type)
{
	int			depth = lexer->depth;

	if (deltatx_lexer_accept_word(lexer, "array") && !deltatx_lexer_at_symbol(lexer, '['))
		return deltatx_type_array(type);

	while (deltatx_lexer_accept_symbol(lexer, '['))
	{
		if (!deltatx_lexer_at_symbol(lexer, ']'))
			(void) deltatx_lexer_expect_number(lexer);
		deltatx_lexer_expect_symbol(lexer, ']');
		check_depth(lexer, ++depth);
		type = deltatx_type_array(type);
	}
	return type;
}

/* Before types within types exhaust the stack of whatever walks them. */
static void
check_depth(const ColumnLexer *lexer, int depth)
{
	if (depth > SCHEMA_MAX_DEPTH)
		deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
					   "types are nested more than %d levels deep", SCHEMA_MAX_DEPTH);
}

static DeltaType *
parse_double(ColumnLexer *lexer)
{
	(void) deltatx_lexer_accept_word(lexer, "precision");
	return deltatx_type_make(DELTA_DOUBLE);
}

/* float is Spark's; float(n) is the SQL standard's, which Spark doesn't know. */
static DeltaType *
parse_float(ColumnLexer *lexer)
{
	int			bits;

	if (!deltatx_lexer_accept_symbol(lexer, '('))
		return deltatx_type_make(DELTA_FLOAT);

	bits = deltatx_lexer_expect_number(lexer);
	deltatx_lexer_expect_symbol(lexer, ')');
	if (bits < 1 || bits > 53)
		deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
					   "column \"%s\" has type float(%d): precision must be 1 to 53",
					   lexer->column, bits);
	return deltatx_type_make(bits <= 24 ? DELTA_FLOAT : DELTA_DOUBLE);
}

static DeltaType *
parse_decimal(ColumnLexer *lexer)
{
	int			precision;
	int			scale = 0;

	if (!deltatx_lexer_accept_symbol(lexer, '('))
		deltatx_refuse(lexer->place, COLUMNS_FIELD,
					   "Say how many digits there are, for example numeric(18,2); 38 is the most.",
					   "column \"%s\" has type numeric without a precision, which has no equal in Delta",
					   lexer->column);

	precision = deltatx_lexer_expect_number(lexer);
	if (deltatx_lexer_accept_symbol(lexer, ','))
		scale = deltatx_lexer_expect_number(lexer);
	deltatx_lexer_expect_symbol(lexer, ')');
	if (precision < 1 || precision > DELTA_MAX_PRECISION || scale > precision)
		deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
					   "column \"%s\" has type numeric(%d,%d): precision must be 1 to %d, scale 0 to the precision",
					   lexer->column, precision, scale, DELTA_MAX_PRECISION);
	return deltatx_type_decimal(precision, scale);
}

static DeltaType *
parse_char(ColumnLexer *lexer)
{
	if (deltatx_lexer_accept_word(lexer, "varying"))
		return parse_varchar(lexer);
	return sized_string(lexer, "char", 1);
}

static DeltaType *
parse_varchar(ColumnLexer *lexer)
{
	return sized_string(lexer, "varchar", 0);
}

static DeltaType *
parse_bpchar(ColumnLexer *lexer)
{
	return sized_string(lexer, "char", 0);
}

/* default_length 0: without a length it is a plain string */
static DeltaType *
sized_string(ColumnLexer *lexer, const char *name, int default_length)
{
	int			length = default_length;

	if (deltatx_lexer_accept_symbol(lexer, '('))
	{
		length = deltatx_lexer_expect_number(lexer);
		deltatx_lexer_expect_symbol(lexer, ')');
		if (length < 1)
			deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
						   "column \"%s\" has type %s(0): length must be at least 1",
						   lexer->column, name);
	}
	if (length == 0)
		return deltatx_type_make(DELTA_STRING);
	return deltatx_type_sized_string(name, length);
}

static DeltaType *
parse_timestamp(ColumnLexer *lexer)
{
	parse_time_precision(lexer);
	if (accept_time_zone(lexer, "without"))
		return deltatx_type_make(DELTA_TIMESTAMP_NTZ);
	(void) accept_time_zone(lexer, "with");
	return deltatx_type_make(DELTA_TIMESTAMP);
}

static DeltaType *
parse_timestamptz(ColumnLexer *lexer)
{
	parse_time_precision(lexer);
	return deltatx_type_make(DELTA_TIMESTAMP);
}

/* (0) to (6); Delta's timestamps always have microseconds. */
static void
parse_time_precision(ColumnLexer *lexer)
{
	int			precision;

	if (!deltatx_lexer_accept_symbol(lexer, '('))
		return;
	precision = deltatx_lexer_expect_number(lexer);
	deltatx_lexer_expect_symbol(lexer, ')');
	if (precision > 6)
		deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
					   "column \"%s\" has type timestamp(%d): precision must be 0 to 6",
					   lexer->column, precision);
}

static bool
accept_time_zone(ColumnLexer *lexer, const char *with)
{
	if (!deltatx_lexer_accept_word(lexer, with))
		return false;
	if (!deltatx_lexer_accept_word(lexer, "time") || !deltatx_lexer_accept_word(lexer, "zone"))
		deltatx_lexer_refuse(lexer, "TIME ZONE");
	return true;
}

static DeltaType *
parse_array(ColumnLexer *lexer)
{
	DeltaType  *element;

	deltatx_lexer_expect_symbol(lexer, '<');
	element = parse_type(lexer);
	deltatx_lexer_expect_symbol(lexer, '>');
	return deltatx_type_array(element);
}

static DeltaType *
parse_map(ColumnLexer *lexer)
{
	DeltaType  *key;
	DeltaType  *value;

	deltatx_lexer_expect_symbol(lexer, '<');
	key = parse_type(lexer);
	deltatx_lexer_expect_symbol(lexer, ',');
	value = parse_type(lexer);
	deltatx_lexer_expect_symbol(lexer, '>');
	return deltatx_type_map(key, value);
}

static DeltaType *
parse_struct(ColumnLexer *lexer)
{
	DeltaType  *type = deltatx_type_make(DELTA_STRUCT);

	deltatx_lexer_expect_symbol(lexer, '<');
	parse_fields(lexer, &type->fields, true);
	deltatx_lexer_expect_symbol(lexer, '>');
	return type;
}

static bool
is_one_of(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (pg_strcasecmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static void
refuse_type(const ColumnLexer *lexer, const char *name)
{
	if (is_one_of(name, serial_types, lengthof(serial_types)))
		deltatx_refuse(lexer->place, COLUMNS_FIELD,
					   "Use bigint, integer or smallint, and number the rows where they are written.",
					   "column \"%s\" has type %s, which makes a sequence: a Delta table has none",
					   lexer->column, name);
	if (is_one_of(name, types_without_equal, lengthof(types_without_equal)))
		deltatx_refuse(lexer->place, COLUMNS_FIELD,
					   "Make it a column of type text (or another one that fits) and cast the values.",
					   "column \"%s\" has type %s, which has no equal in Delta",
					   lexer->column, name);
	deltatx_refuse(lexer->place, COLUMNS_FIELD,
				   "docs/features.md lists the types that a column can have.",
				   "column \"%s\" has type \"%s\", which is not known",
				   lexer->column, name);
}

/* Of all that PostgreSQL says of a column, a Delta schema keeps NOT NULL and the comment. */
static void
refuse_words(const ColumnLexer *lexer, const char *const *words, int n)
{
	if (lexer->token.kind == TOKEN_WORD && is_one_of(lexer->token.text, words, n))
		deltatx_refuse(lexer->place, COLUMNS_FIELD,
					   "Give columns a type, NOT NULL and COMMENT only; a column of that name must be quoted.",
					   "\"%s\" is not supported in a column list", lexer->token.text);
}
