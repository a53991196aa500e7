/*-------------------------------------------------------------------------
 *
 * xml.c
 *	  The XML that S3 answers with.
 *
 * Listings and errors are small documents of nested elements with text:
 * attributes don't matter, and there is no DTD.  A parser for all of XML would
 * be one more library in the server, for its dangerous features to be switched
 * off.  This one refuses what it doesn't know: declarations, CDATA, entities
 * other than the five of XML.
 *
 * The document comes from the network.  Each step consumes input, nesting is
 * bounded, and nothing is longer than the document.  That every element is
 * closed is the proof that the document is whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "store/xml.h"

#define MAX_DEPTH	8

typedef struct XmlReader
{
	const char *next;
	const char *end;
	StringInfoData path;
	StringInfoData text;		/* of the innermost element, so far */
	int			depth;
	bool		has_root;
	XmlElement	element;
	void	   *arg;
} XmlReader;

static bool read_markup(XmlReader *reader);
static bool skip_past(XmlReader *reader, const char *mark);
static bool open_element(XmlReader *reader);
static bool close_element(XmlReader *reader);
static bool leave_element(XmlReader *reader);
static size_t name_length(const XmlReader *reader);
static bool skip_attributes(XmlReader *reader, bool *empty);
static bool read_text(XmlReader *reader);
static bool read_entity(XmlReader *reader);
static bool append_code_point(StringInfo text, const char *digits, size_t length);

bool
deltatx_xml_read(const char *document, size_t size, XmlElement element, void *arg)
{
	XmlReader	reader = {
		.next = document,
		.end = document + size,
		.element = element,
		.arg = arg
	};

	initStringInfo(&reader.path);
	initStringInfo(&reader.text);
	while (reader.next < reader.end)
	{
		if (*reader.next == '<' ? !read_markup(&reader) : !read_text(&reader))
			return false;
	}
	return reader.has_root && reader.depth == 0;
}

/* From a '<' on. */
static bool
read_markup(XmlReader *reader)
{
	size_t		left = reader->end - ++reader->next;

	if (left >= 1 && *reader->next == '?')
		return skip_past(reader, "?>");
	if (left >= 3 && strncmp(reader->next, "!--", 3) == 0)
		return skip_past(reader, "-->");
	if (left >= 1 && *reader->next == '/')
		return close_element(reader);
	return open_element(reader);
}

static bool
skip_past(XmlReader *reader, const char *mark)
{
	size_t		length = strlen(mark);

	for (; reader->next + length <= reader->end; reader->next++)
	{
		if (strncmp(reader->next, mark, length) == 0)
		{
			reader->next += length;
			return true;
		}
	}
	return false;
}

static bool
open_element(XmlReader *reader)
{
	size_t		length = name_length(reader);
	bool		empty;

	if (length == 0 || reader->depth == MAX_DEPTH || (reader->depth == 0 && reader->has_root))
		return false;
	appendStringInfo(&reader->path, "%s%.*s", reader->depth > 0 ? "/" : "", (int) length, reader->next);
	reader->depth++;
	reader->has_root = true;
	reader->next += length;
	resetStringInfo(&reader->text);
	if (!skip_attributes(reader, &empty))
		return false;
	return !empty || leave_element(reader);
}

static bool
close_element(XmlReader *reader)
{
	const char *name = strrchr(reader->path.data, '/');
	size_t		length;

	name = name == NULL ? reader->path.data : name + 1;
	reader->next++;
	length = name_length(reader);
	if (reader->depth == 0 || length != strlen(name) || strncmp(reader->next, name, length) != 0)
		return false;
	reader->next += length;
	while (reader->next < reader->end && strchr(" \t\r\n", *reader->next) != NULL)
		reader->next++;
	if (reader->next == reader->end || *reader->next++ != '>')
		return false;
	return leave_element(reader);
}

static bool
leave_element(XmlReader *reader)
{
	char	   *slash;

	reader->element(reader->path.data, reader->text.data, reader->arg);
	resetStringInfo(&reader->text);

	slash = strrchr(reader->path.data, '/');
	reader->path.len = slash == NULL ? 0 : slash - reader->path.data;
	reader->path.data[reader->path.len] = '\0';
	reader->depth--;
	return true;
}

static size_t
name_length(const XmlReader *reader)
{
	const char *c = reader->next;

	while (c < reader->end && strchr("<>/=!?&\"' \t\r\n", *c) == NULL)
		c++;
	return c - reader->next;
}

/* Up to the end of the tag. */
static bool
skip_attributes(XmlReader *reader, bool *empty)
{
	char		quote = '\0';

	for (; reader->next < reader->end; reader->next++)
	{
		char		c = *reader->next;

		if (c == '>' && quote == '\0')
		{
			*empty = reader->next[-1] == '/';
			reader->next++;
			return true;
		}
		if (c == '<')
			return false;
		if (c == quote)
			quote = '\0';
		else if (quote == '\0' && (c == '"' || c == '\''))
			quote = c;
	}
	return false;
}

/* Up to the next markup.  Outside of the root there is only white space. */
static bool
read_text(XmlReader *reader)
{
	while (reader->next < reader->end && *reader->next != '<')
	{
		char		c = *reader->next;

		if (c == '\0' || (reader->depth == 0 && strchr(" \t\r\n", c) == NULL))
			return false;
		if (c == '&')
		{
			if (!read_entity(reader))
				return false;
			continue;
		}
		appendStringInfoChar(&reader->text, c);
		reader->next++;
	}
	return true;
}

static bool
read_entity(XmlReader *reader)
{
	static const struct
	{
		const char *name;
		char		character;
	}			known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	const char *name = reader->next + 1;
	const char *end = memchr(name, ';', reader->end - name);
	size_t		length;

	if (end == NULL)
		return false;
	length = end - name;
	reader->next = end + 1;
	if (length > 1 && name[0] == '#')
		return append_code_point(&reader->text, name + 1, length - 1);

	for (int i = 0; i < lengthof(known); i++)
	{
		if (length == strlen(known[i].name) && strncmp(name, known[i].name, length) == 0)
		{
			appendStringInfoChar(&reader->text, known[i].character);
			return true;
		}
	}
	return false;
}

/* In UTF-8. */
static bool
append_code_point(StringInfo text, const char *digits, size_t length)
{
	int			base = digits[0] == 'x' ? 16 : 10;
	const char *start = digits + (base == 16 ? 1 : 0);
	unsigned char utf8[MAX_MULTIBYTE_CHAR_LEN + 1] = {0};
	char	   *end;
	unsigned long code;

	if (!isxdigit((unsigned char) *start) || length > 8)
		return false;
	code = strtoul(start, &end, base);
	if (end != digits + length || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return false;
	(void) unicode_to_utf8((pg_wchar) code, utf8);
	appendStringInfoString(text, (char *) utf8);
	return true;
}
