/*-------------------------------------------------------------------------
 *
 * json_reader.c
 *	  A pull reader for JSON documents, over PostgreSQL's JSON lexer.
 *
 * Documents of actions are large and hostile.  pg_parse_json() would parse
 * them, but it owns the flow of control: it copies every name and scalar,
 * wanted or not, recurses as deep as the document nests, and would call the
 * consumer of an action from within the parser.  So we take the lexer alone,
 * which does the hard part (numbers, escapes, surrogates, encodings), and
 * read what it yields by recursive descent.  Only values that we don't look
 * into are followed to any depth, and that depth is bounded.
 *
 * A value that is kept as it is needs no copy while it is read: it is a slice
 * of the text from its first token to its last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/int.h"

#include "action/json_reader.h"

/* How much of a wrong value or of the lexer's complaint an error repeats. */
#define MAX_QUOTED		64
#define MAX_COMPLAINT	256

static void advance(JsonReader *reader);
static void malformed(JsonReader *reader, JsonParseErrorType error) pg_attribute_noreturn();
static void expect(JsonReader *reader, JsonTokenType type, JsonParseErrorType error);
static void refuse_value(JsonReader *reader, const char *field, const char *hint,
						 const char *wanted) pg_attribute_noreturn();
static bool next_name(JsonReader *reader, bool *first);
static void remember_key(JsonReader *reader);
static void decode_key(JsonReader *reader);
static void remember_name(JsonReader *reader, JsonObject *object);
static void refuse_duplicate(JsonReader *reader, const JsonObject *object,
							 const char *name) pg_attribute_noreturn();
static void check_many_names(JsonReader *reader, JsonObject *object);
static int	compare_names(const void *a, const void *b);
static void skip_value(JsonReader *reader, int depth);
static int	compact(char *out, const char *from, const char *end);

void
deltatx_json_open(JsonReader *reader, const char *text, size_t length,
				  const DocumentPlace *place, const char *embedded)
{
	reader->place = *place;
	reader->embedded = embedded;
	reader->decode = (embedded == NULL);
	reader->lex = deltatx_json_lexer(text, length, reader->decode);
	initStringInfo(&reader->key);
	reader->raw_key = NULL;
	reader->raw_key_length = 0;
	advance(reader);
}

void
deltatx_json_close(JsonReader *reader)
{
	deltatx_json_lexer_free(reader->lex);
	pfree(reader->key.data);
}

void
deltatx_json_expect_end(JsonReader *reader)
{
	expect(reader, JSON_TOKEN_END, JSON_EXPECTED_END);
}

void
deltatx_json_enter_object(JsonReader *reader, JsonObject *object, const char *field)
{
	if (deltatx_json_token(reader) != JSON_TOKEN_OBJECT_START)
		refuse_value(reader, field, NULL, "a JSON object");

	object->field = field;
	object->first = true;
	object->n_names = 0;
	object->max_names = JSON_FEW_NAMES;
	object->names = object->few;
	advance(reader);
}

bool
deltatx_json_next_member(JsonReader *reader, JsonObject *object)
{
	if (!next_name(reader, &object->first))
	{
		if (object->n_names > JSON_FEW_NAMES)
			check_many_names(reader, object);
		return false;
	}

	remember_key(reader);
	remember_name(reader, object);
	advance(reader);
	expect(reader, JSON_TOKEN_COLON, JSON_EXPECTED_COLON);
	advance(reader);
	return true;
}

void
deltatx_json_enter_array(JsonReader *reader, bool *first, const char *field)
{
	if (deltatx_json_token(reader) != JSON_TOKEN_ARRAY_START)
		refuse_value(reader, field, NULL, "a JSON array");
	*first = true;
	advance(reader);
}

bool
deltatx_json_next_element(JsonReader *reader, bool *first)
{
	if (deltatx_json_token(reader) == JSON_TOKEN_ARRAY_END)
	{
		advance(reader);
		return false;
	}

	if (!*first)
	{
		expect(reader, JSON_TOKEN_COMMA, JSON_EXPECTED_ARRAY_NEXT);
		advance(reader);
		if (deltatx_json_token(reader) == JSON_TOKEN_ARRAY_END)
			malformed(reader, JSON_EXPECTED_JSON);
	}
	*first = false;
	return true;
}

bool
deltatx_json_take_null(JsonReader *reader)
{
	if (deltatx_json_token(reader) != JSON_TOKEN_NULL)
		return false;
	advance(reader);
	return true;
}

char *
deltatx_json_string(JsonReader *reader, const char *field)
{
	char	   *result;

	Assert(reader->decode);
	if (deltatx_json_token(reader) != JSON_TOKEN_STRING)
		refuse_value(reader, field, NULL, "a JSON string");

	result = pnstrdup(reader->lex->strval->data, reader->lex->strval->len);
	advance(reader);
	return result;
}

int64
deltatx_json_integer(JsonReader *reader, const char *field, int64 min, int64 max)
{
	int64		result;

	if (deltatx_json_token(reader) != JSON_TOKEN_NUMBER ||
		!deltatx_parse_integer(reader->lex->token_start, reader->lex->token_terminator,
							   &result) ||
		result < min || result > max)
		refuse_value(reader, field,
					 "Write it as plain digits: no quotes, no fraction, no exponent.",
					 psprintf("a JSON integer from " INT64_FORMAT " to " INT64_FORMAT,
							  min, max));
	advance(reader);
	return result;
}

bool
deltatx_json_boolean(JsonReader *reader, const char *field)
{
	bool		result = (deltatx_json_token(reader) == JSON_TOKEN_TRUE);

	if (!result && deltatx_json_token(reader) != JSON_TOKEN_FALSE)
		refuse_value(reader, field, NULL, "true or false");
	advance(reader);
	return result;
}

void
deltatx_json_skip(JsonReader *reader)
{
	skip_value(reader, 0);
}

void
deltatx_json_append_since(JsonReader *reader, const char *start, StringInfo out)
{
	const char *end = reader->lex->prev_token_terminator;

	enlargeStringInfo(out, end - start);
	out->len += compact(out->data + out->len, start, end);
}

char *
deltatx_json_since(JsonReader *reader, const char *start)
{
	const char *end = reader->lex->prev_token_terminator;
	char	   *result = palloc(end - start + 1);

	(void) compact(result, start, end);
	return result;
}

char *
deltatx_json_string_map(JsonReader *reader, const char *field)
{
	const char *start = deltatx_json_here(reader);
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, field);
	while (deltatx_json_next_member(reader, &object))
	{
		if (deltatx_json_token(reader) != JSON_TOKEN_STRING &&
			deltatx_json_token(reader) != JSON_TOKEN_NULL)
			refuse_value(reader, field,
						 "Write every value as a JSON string, or as null.",
						 "an object of JSON strings and nulls");
		advance(reader);
	}
	return deltatx_json_since(reader, start);
}

void
deltatx_json_append_string(StringInfo out, const char *string)
{
	const char *from = string;

	appendStringInfoChar(out, '"');
	for (const char *p = string; *p != '\0'; p++)
	{
		unsigned char c = (unsigned char) *p;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;

		appendBinaryStringInfo(out, from, p - from);
		from = p + 1;
		switch (c)
		{
			case '"':
				appendStringInfoString(out, "\\\"");
				break;
			case '\\':
				appendStringInfoString(out, "\\\\");
				break;
			case '\n':
				appendStringInfoString(out, "\\n");
				break;
			case '\r':
				appendStringInfoString(out, "\\r");
				break;
			case '\t':
				appendStringInfoString(out, "\\t");
				break;
			default:
				appendStringInfo(out, "\\u%04x", c);
				break;
		}
	}
	appendStringInfoString(out, from);
	appendStringInfoChar(out, '"');
}

bool
deltatx_parse_integer(const char *digits, const char *end, int64 *result)
{
	bool		negative = (digits < end && *digits == '-');
	int64		value = 0;

	if (negative)
		digits++;
	if (digits == end)
		return false;
	for (; digits < end; digits++)
	{
		if (*digits < '0' || *digits > '9' ||
			pg_mul_s64_overflow(value, 10, &value) ||
			pg_sub_s64_overflow(value, *digits - '0', &value))
			return false;
	}
	/* Summed up below zero, where there is room for one more. */
	if (!negative && pg_mul_s64_overflow(value, -1, &value))
		return false;
	*result = value;
	return true;
}

static void
advance(JsonReader *reader)
{
	JsonParseErrorType error = json_lex(reader->lex);

	if (error != JSON_SUCCESS)
		malformed(reader, error);
}

/*
 * The text is not JSON.  The lexer's complaint may quote a token of any
 * length, so it is clipped.
 */
static void
malformed(JsonReader *reader, JsonParseErrorType error)
{
	DocumentPlace place = reader->place;
	char	   *complaint = pstrdup(json_errdetail(error, reader->lex));
	int			length = strlen(complaint);

	if (length > MAX_COMPLAINT)
		strcpy(complaint + pg_mbcliplen(complaint, length, MAX_COMPLAINT - 4), "...");
	else if (length > 0 && complaint[length - 1] == '.')
		complaint[length - 1] = '\0';

	if (reader->embedded != NULL)
		deltatx_refuse(&place, reader->embedded,
					   "Give a complete JSON document, encoded as a JSON string.",
					   "%s does not hold JSON: %s", reader->embedded, complaint);

	place.condition = DTX_MALFORMED_JSON;
	place.action = NULL;
	deltatx_refuse(&place, NULL, NULL, "malformed JSON in line %d: %s",
				   (int) reader->lex->line_number, complaint);
}

/* Must stand on a token of that type; "error" says what it is otherwise. */
static void
expect(JsonReader *reader, JsonTokenType type, JsonParseErrorType error)
{
	if (deltatx_json_token(reader) == type)
		return;
	if (deltatx_json_token(reader) == JSON_TOKEN_END)
		error = JSON_EXPECTED_MORE;
	malformed(reader, error);
}

/* A value that is JSON, but not what the field needs. */
static void
refuse_value(JsonReader *reader, const char *field, const char *hint, const char *wanted)
{
	JsonTokenType type = deltatx_json_token(reader);
	const char *token = reader->lex->token_start;
	int			length;

	/* What begins no value is an error of syntax. */
	if (type == JSON_TOKEN_END)
		malformed(reader, JSON_EXPECTED_MORE);
	if (type == JSON_TOKEN_COMMA || type == JSON_TOKEN_COLON ||
		type == JSON_TOKEN_OBJECT_END || type == JSON_TOKEN_ARRAY_END)
		malformed(reader, JSON_EXPECTED_JSON);

	length = reader->lex->token_terminator - token;
	if (length > MAX_QUOTED)
		deltatx_refuse(&reader->place, field, hint, "%s must be %s: found %.*s...",
					   field, wanted, pg_mbcliplen(token, length, MAX_QUOTED), token);
	deltatx_refuse(&reader->place, field, hint, "%s must be %s: found %.*s",
				   field, wanted, length, token);
}

/* Step to the name of the next member; false at the object's end, which is passed. */
static bool
next_name(JsonReader *reader, bool *first)
{
	if (deltatx_json_token(reader) == JSON_TOKEN_OBJECT_END)
	{
		advance(reader);
		return false;
	}

	if (!*first)
	{
		expect(reader, JSON_TOKEN_COMMA, JSON_EXPECTED_OBJECT_NEXT);
		advance(reader);
		expect(reader, JSON_TOKEN_STRING, JSON_EXPECTED_STRING);
	}
	else
		expect(reader, JSON_TOKEN_STRING, JSON_EXPECTED_OBJECT_FIRST);
	*first = false;
	return true;
}

/* The lexer forgets the name when it goes on to the value. */
static void
remember_key(JsonReader *reader)
{
	reader->raw_key = reader->lex->token_start;
	reader->raw_key_length = reader->lex->token_terminator - reader->lex->token_start;

	resetStringInfo(&reader->key);
	if (reader->decode)
		appendBinaryStringInfo(&reader->key, reader->lex->strval->data,
							   reader->lex->strval->len);
	else if (memchr(reader->raw_key, '\\', reader->raw_key_length) != NULL)
		decode_key(reader);
	else
		appendBinaryStringInfo(&reader->key, reader->raw_key + 1,
							   reader->raw_key_length - 2);
}

/*
 * Where strings are not decoded as we go, an escaped name still must be, or
 * one name could be spelled in two ways.
 */
static void
decode_key(JsonReader *reader)
{
	JsonReader	name;

	deltatx_json_open(&name, reader->raw_key, reader->raw_key_length,
					  &reader->place, NULL);
	name.embedded = reader->embedded;
	appendBinaryStringInfo(&reader->key, name.lex->strval->data, name.lex->strval->len);
	deltatx_json_close(&name);
}

/* Objects of very many members must not take quadratic time. */
static void
remember_name(JsonReader *reader, JsonObject *object)
{
	JsonName	name = {reader->raw_key + 1, reader->key.len};

	/* Escapes are always longer than what they stand for. */
	if (reader->raw_key_length - 2 != reader->key.len)
		name.data = pnstrdup(reader->key.data, reader->key.len);

	for (int i = 0; i < object->n_names && object->n_names < JSON_FEW_NAMES; i++)
	{
		if (compare_names(&object->names[i], &name) == 0)
			refuse_duplicate(reader, object, reader->key.data);
	}

	if (object->n_names == object->max_names)
	{
		Size		size = mul_size(object->max_names, sizeof(JsonName));

		object->max_names *= 2;
		if (object->names == object->few)
			object->names = memcpy(MemoryContextAllocHuge(CurrentMemoryContext, 2 * size),
								   object->few, size);
		else
			object->names = repalloc_huge(object->names, 2 * size);
	}
	object->names[object->n_names++] = name;
}

static void
check_many_names(JsonReader *reader, JsonObject *object)
{
	qsort(object->names, object->n_names, sizeof(JsonName), compare_names);
	for (int i = 1; i < object->n_names; i++)
	{
		if (compare_names(&object->names[i - 1], &object->names[i]) == 0)
			refuse_duplicate(reader, object,
							 pnstrdup(object->names[i].data, object->names[i].length));
	}
	pfree(object->names);
}

static int
compare_names(const void *a, const void *b)
{
	const JsonName *left = a;
	const JsonName *right = b;

	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return memcmp(left->data, right->data, left->length);
}

static void
refuse_duplicate(JsonReader *reader, const JsonObject *object, const char *name)
{
	int			length = pg_mbcliplen(name, strlen(name), MAX_QUOTED);

	deltatx_refuse(&reader->place, object->field,
				   "Name every member of an object once.",
				   "%s has two members named \"%.*s\"", object->field, length, name);
}

/* Pass over a value, checking its syntax. */
static void
skip_value(JsonReader *reader, int depth)
{
	JsonTokenType type = deltatx_json_token(reader);
	bool		first = true;

	if (depth >= JSON_MAX_DEPTH &&
		(type == JSON_TOKEN_OBJECT_START || type == JSON_TOKEN_ARRAY_START))
		deltatx_refuse(&reader->place, NULL, NULL,
					   "JSON nests deeper than %d levels", JSON_MAX_DEPTH);
	CHECK_FOR_INTERRUPTS();

	switch (type)
	{
		case JSON_TOKEN_STRING:
		case JSON_TOKEN_NUMBER:
		case JSON_TOKEN_TRUE:
		case JSON_TOKEN_FALSE:
		case JSON_TOKEN_NULL:
			advance(reader);
			break;
		case JSON_TOKEN_OBJECT_START:
			advance(reader);
			while (next_name(reader, &first))
			{
				advance(reader);
				expect(reader, JSON_TOKEN_COLON, JSON_EXPECTED_COLON);
				advance(reader);
				skip_value(reader, depth + 1);
			}
			break;
		case JSON_TOKEN_ARRAY_START:
			advance(reader);
			while (deltatx_json_next_element(reader, &first))
				skip_value(reader, depth + 1);
			break;
		default:
			malformed(reader, type == JSON_TOKEN_END ? JSON_EXPECTED_MORE : JSON_EXPECTED_JSON);
	}
}

/*
 * Copy JSON that was read already, without what is blank outside of strings.
 * The copy is at most as long as the original, and ends in NUL; returns its
 * length.
 */
static int
compact(char *out, const char *from, const char *end)
{
	char	   *to = out;
	bool		in_string = false;

	for (const char *p = from; p < end; p++)
	{
		if (in_string && *p == '\\')
			*to++ = *p++;
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
			continue;
		*to++ = *p;
	}
	*to = '\0';
	return to - out;
}
