/*-------------------------------------------------------------------------
 *
 * json_reader.h
 *	  A pull reader for JSON documents, over PostgreSQL's JSON lexer.
 *
 * The reader always stands on a token.  Whatever reads a value expects to
 * stand on the value's first token, and leaves the reader on the token after
 * the value.  So an object is read like this:
 *
 *		JsonObject	object;
 *
 *		deltatx_json_enter_object(reader, &object, "tags");
 *		while (deltatx_json_next_member(reader, &object))
 *			... reader->key names the member; read its value ...
 *
 * Errors are raised through the reader's place.  "field" in the calls below
 * is the field that an error names.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_JSON_READER_H
#define DELTATX_JSON_READER_H

#include "compat.h"
#include "lib/stringinfo.h"

#include "errors.h"

/* How deep a value may nest that we keep without looking into it. */
#define JSON_MAX_DEPTH	64

typedef struct JsonReader
{
	JsonLexContext *lex;
	DocumentPlace place;		/* the caller may change it as it goes */
	const char *embedded;		/* the field that the document is the value of; NULL: none */
	bool		decode;			/* strings must be storable as text */
	StringInfoData key;			/* name of the latest member, decoded */
	const char *raw_key;		/* the same as it stands in the text, quotes included */
	int			raw_key_length;
} JsonReader;

/* The name of a member, in the text itself where it holds no escapes. */
typedef struct JsonName
{
	const char *data;
	int			length;
} JsonName;

/* Up to here, a name is compared with all names before it; beyond, all are sorted. */
#define JSON_FEW_NAMES	16

/* An object that is being read. */
typedef struct JsonObject
{
	const char *field;
	bool		first;			/* no member read so far */
	int			n_names;
	int			max_names;
	JsonName   *names;			/* few, or an array of its own */
	JsonName	few[JSON_FEW_NAMES];
} JsonObject;

/*
 * Start to read a document.  The text must stay where it is.  An embedded
 * document is one that came as the string value of the field "embedded" and
 * stays text with us: it may hold \u0000, and its syntax errors are errors of
 * that field.  Else "embedded" is NULL.
 */
extern void deltatx_json_open(JsonReader *reader, const char *text, size_t length,
							  const DocumentPlace *place, const char *embedded);
extern void deltatx_json_close(JsonReader *reader);

static inline JsonTokenType
deltatx_json_token(const JsonReader *reader)
{
	return reader->lex->token_type;
}

/* The document must end here. */
extern void deltatx_json_expect_end(JsonReader *reader);

/* Objects; a name that occurs twice is refused. */
extern void deltatx_json_enter_object(JsonReader *reader, JsonObject *object,
									  const char *field);
extern bool deltatx_json_next_member(JsonReader *reader, JsonObject *object);

/* Arrays; "first" is the reader's own, true before the first call. */
extern void deltatx_json_enter_array(JsonReader *reader, bool *first,
									 const char *field);
extern bool deltatx_json_next_element(JsonReader *reader, bool *first);

/* Values.  Strings and texts are allocated in the current memory context. */
extern bool deltatx_json_take_null(JsonReader *reader); /* false: stays where it is */
extern char *deltatx_json_string(JsonReader *reader, const char *field);
extern int64 deltatx_json_integer(JsonReader *reader, const char *field,
								  int64 min, int64 max);
extern bool deltatx_json_boolean(JsonReader *reader, const char *field);
extern void deltatx_json_skip(JsonReader *reader);

/* Where the reader stands, for deltatx_json_since(). */
static inline const char *
deltatx_json_here(const JsonReader *reader)
{
	return reader->lex->token_start;
}

/* How long what was read since "start" is. */
static inline size_t
deltatx_json_length_since(const JsonReader *reader, const char *start)
{
	return reader->lex->prev_token_terminator - start;
}

/* A copy of what was read since "start", without insignificant whitespace. */
extern char *deltatx_json_since(JsonReader *reader, const char *start);

/* The same, appended. */
extern void deltatx_json_append_since(JsonReader *reader, const char *start, StringInfo out);

/* A copy of an object whose values are strings or null. */
extern char *deltatx_json_string_map(JsonReader *reader, const char *field);

/* Append a string as JSON, quotes included; the bytes depend on nothing else. */
extern void deltatx_json_append_string(StringInfo out, const char *string);

/* Decimal digits with an optional minus, up to "end"; false: not that, or beyond 64 bits. */
extern bool deltatx_parse_integer(const char *digits, const char *end, int64 *result);

#endif							/* DELTATX_JSON_READER_H */
