/*-------------------------------------------------------------------------
 *
 * path.c
 *	  Paths of data files in a log.
 *
 * A path is a URI reference (RFC 2396): relative to the table's directory, or
 * absolute.  Readers tell files apart by the raw string, so we never decode or
 * normalise what is stored.  But a path that a reader can't parse takes the
 * whole table from it, so we refuse what any of them is known to fail on.
 * Spark is the strictest of them (java.net.URI), and the rules below follow
 * it; it leaves letters outside of ASCII alone, and so do we.
 *
 * What a path leads to is judged by its decoded form, or %2e%2e would pass for
 * a file's name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "action/path.h"

/* No store takes names of a thousand characters, be each written as %F0%9F%98%80. */
#define MAX_PATH_BYTES	16384

static const char *character_problem(const char *path);
static bool is_unicode_blank(pg_wchar c);
static const char *relative_problem(const char *path);
static const char *decoded_problem(const char *path);
static const char *segment_problem(const char *segment, size_t length);
static bool segment_is(const char *segment, size_t length, const char *name);
static const char *hierarchical_part(const char *path);
static size_t scheme_length(const char *path);
static bool is_escape(const char *text, size_t length);
static int	hex_digit(char c);

const char *
deltatx_path_problem(const char *path)
{
	const char *part = hierarchical_part(path);
	const char *problem;
	char	   *decoded;

	if (path[0] == '\0')
		return "is empty";
	if (strlen(path) > MAX_PATH_BYTES)
		return psprintf("is longer than %d bytes", MAX_PATH_BYTES);
	problem = character_problem(path);
	if (problem == NULL && part == NULL)
		problem = "is a URI without a path: write %3A for a colon in a name";
	if (problem == NULL && part == path)
		problem = relative_problem(path);
	if (problem != NULL)
		return problem;

	decoded = deltatx_percent_decode(part, strlen(part));
	problem = decoded_problem(decoded);
	pfree(decoded);
	return problem;
}

bool
deltatx_path_is_absolute(const char *path)
{
	return scheme_length(path) > 0;
}

bool
deltatx_path_is_within(const char *path, const char *directory)
{
	char	   *decoded = deltatx_percent_decode(path, strlen(path));
	bool		result = !deltatx_path_is_absolute(path) &&
		segment_is(decoded, strcspn(decoded, "/"), directory);

	pfree(decoded);
	return result;
}

char *
deltatx_percent_decode(const char *text, size_t length)
{
	char	   *result = palloc(length + 1);
	char	   *to = result;

	for (size_t i = 0; i < length; i++)
	{
		if (is_escape(text + i, length - i))
		{
			*to++ = (char) (hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
			i += 2;
		}
		else
			*to++ = text[i];
	}
	*to = '\0';
	return result;
}

void
deltatx_percent_encode(StringInfo out, char c)
{
	appendStringInfo(out, "%%%02X", (unsigned char) c);
}

bool
deltatx_path_is_plain(char c)
{
	return isascii((unsigned char) c) &&
		(isalnum((unsigned char) c) || (c != '\0' && strchr("-_.!~*'();/:@&=+$,", c) != NULL));
}

/* What a URI may not hold, whatever it leads to. */
static const char *
character_problem(const char *path)
{
	const char *end = path + strlen(path);

	for (const char *p = path; p < end;
		 p += IS_HIGHBIT_SET(*p) ? pg_utf_mblen((const unsigned char *) p) : 1)
	{
		if (*p == '%' && !is_escape(p, end - p))
			return "has a percent sign that begins no escape: write %25";
		if (*p == '%' && hex_digit(p[1]) == 0 && hex_digit(p[2]) == 0)
			return "holds a zero byte";
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return "holds a control character";
		if (*p == ' ' || (IS_HIGHBIT_SET(*p) && is_unicode_blank(utf8_to_unicode((const unsigned char *) p))))
			return "holds a blank that is not percent-encoded";
		if (!IS_HIGHBIT_SET(*p) && *p != '%' && !deltatx_path_is_plain(*p))
			return "holds a character that must be percent-encoded in a URI, like any of \"#<>?[\\]^`{|}";
	}
	return NULL;
}

/* Blanks and control characters beyond ASCII, as Java has them. */
static bool
is_unicode_blank(pg_wchar c)
{
	return (c >= 0x80 && c <= 0xa0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
		c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static const char *
relative_problem(const char *path)
{
	if (path[0] == '/')
		return "begins with a slash: it must be relative to the table's location, or a URI with a scheme";
	if (memchr(path, ':', strcspn(path, "/")) != NULL)
		return "has a colon in its first directory, which readers take for a scheme's end: write %3A";
	return NULL;
}

static const char *
decoded_problem(const char *path)
{
	if (!pg_verifymbstr(path, strlen(path), true))
		return "is not UTF-8 when it is decoded";
	for (const char *p = path; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return "holds a control character when it is decoded";
	}

	for (;;)
	{
		size_t		length = strcspn(path, "/");
		const char *problem = segment_problem(path, length);

		if (problem != NULL || path[length] == '\0')
			return problem;
		path += length + 1;
	}
}

static const char *
segment_problem(const char *segment, size_t length)
{
	if (length == 0)
		return "has an empty directory or file name";
	if (segment_is(segment, length, ".") || segment_is(segment, length, ".."))
		return "has a directory or file name of dots only";
	if (segment_is(segment, length, "_delta_log"))
		return "leads into _delta_log";
	return NULL;
}

static bool
segment_is(const char *segment, size_t length, const char *name)
{
	return length == strlen(name) && memcmp(segment, name, length) == 0;
}

/*
 * What follows scheme, authority and first slash; all of a relative path.
 * NULL: there is no such part.
 */
static const char *
hierarchical_part(const char *path)
{
	const char *part = path + scheme_length(path);

	if (part == path)
		return path;
	if (part[0] == '/' && part[1] == '/')
		part = strchr(part + 2, '/');
	return part != NULL && part[0] == '/' ? part + 1 : NULL;
}

/* Length of "s3:" and the like; 0: none. */
static size_t
scheme_length(const char *path)
{
	size_t		length;

	if (!isascii((unsigned char) path[0]) || !isalpha((unsigned char) path[0]))
		return 0;
	length = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	return path[length] == ':' ? length + 1 : 0;
}

static bool
is_escape(const char *text, size_t length)
{
	return length >= 3 && text[0] == '%' &&
		hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
