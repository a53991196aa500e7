/*-------------------------------------------------------------------------
 *
 * lexer.c
 *	  The words of a SQL column list.
 *
 * People paste column lists from PostgreSQL and from Spark, so both quotes
 * for names are known ("…" and `…`), and SQL's comments are skipped.  Names
 * keep their case even unquoted: Delta keeps it, and engines that read
 * Parquet files by exact name depend on it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/lexer.h"

static void skip_space(ColumnLexer *lexer);
static void skip_block_comment(ColumnLexer *lexer);
static void read_quoted(ColumnLexer *lexer, TokenKind kind);
static void read_run(ColumnLexer *lexer, TokenKind kind, bool (*belongs) (char c));
static bool is_word_start(char c);
static bool is_word_part(char c);
static bool is_digit(char c);

void
deltatx_lexer_start(ColumnLexer *lexer, const char *text, const DocumentPlace *place)
{
	lexer->rest = text;
	lexer->depth = 0;
	lexer->column = NULL;
	lexer->place = place;
	deltatx_lexer_next(lexer);
}

void
deltatx_lexer_next(ColumnLexer *lexer)
{
	char		c;

	skip_space(lexer);
	c = *lexer->rest;

	if (c == '\0')
	{
		lexer->token.kind = TOKEN_END;
		lexer->token.text = "";
	}
	else if (is_word_start(c))
		read_run(lexer, TOKEN_WORD, is_word_part);
	else if (is_digit(c))
		read_run(lexer, TOKEN_NUMBER, is_digit);
	else if (c == '"' || c == '`')
		read_quoted(lexer, TOKEN_QUOTED);
	else if (c == '\'')
		read_quoted(lexer, TOKEN_STRING);
	else
	{
		lexer->token.kind = TOKEN_SYMBOL;
		lexer->token.text = pnstrdup(lexer->rest++, 1);
	}
}

bool
deltatx_lexer_at_word(const ColumnLexer *lexer, const char *word)
{
	return lexer->token.kind == TOKEN_WORD && pg_strcasecmp(lexer->token.text, word) == 0;
}

bool
deltatx_lexer_accept_word(ColumnLexer *lexer, const char *word)
{
	if (!deltatx_lexer_at_word(lexer, word))
		return false;
	deltatx_lexer_next(lexer);
	return true;
}

bool
deltatx_lexer_at_symbol(const ColumnLexer *lexer, char symbol)
{
	return lexer->token.kind == TOKEN_SYMBOL && lexer->token.text[0] == symbol;
}

bool
deltatx_lexer_accept_symbol(ColumnLexer *lexer, char symbol)
{
	if (!deltatx_lexer_at_symbol(lexer, symbol))
		return false;
	deltatx_lexer_next(lexer);
	return true;
}

void
deltatx_lexer_expect_symbol(ColumnLexer *lexer, char symbol)
{
	if (!deltatx_lexer_accept_symbol(lexer, symbol))
		deltatx_lexer_refuse(lexer, psprintf("\"%c\"", symbol));
}

int
deltatx_lexer_expect_number(ColumnLexer *lexer)
{
	int			value;

	if (lexer->token.kind != TOKEN_NUMBER || strlen(lexer->token.text) > 9)
		deltatx_lexer_refuse(lexer, "a number");
	value = atoi(lexer->token.text);
	deltatx_lexer_next(lexer);
	return value;
}

void
deltatx_lexer_refuse(const ColumnLexer *lexer, const char *wanted)
{
	const char *hint = "Give a column list such as 'id bigint NOT NULL, day date', 'LIKE relation', or a Delta schemaString.";

	if (lexer->token.kind == TOKEN_END)
		deltatx_refuse(lexer->place, COLUMNS_FIELD, hint,
					   "syntax error at the end of the column list: %s expected", wanted);
	deltatx_refuse(lexer->place, COLUMNS_FIELD, hint,
				   "syntax error in the column list at \"%s\": %s expected",
				   lexer->token.text, wanted);
}

static void
skip_space(ColumnLexer *lexer)
{
	for (;;)
	{
		lexer->rest += strspn(lexer->rest, " \t\n\r\f\v");
		if (strncmp(lexer->rest, "--", 2) == 0)
			lexer->rest += strcspn(lexer->rest, "\n");
		else if (strncmp(lexer->rest, "/*", 2) == 0)
			skip_block_comment(lexer);
		else
			return;
	}
}

static void
skip_block_comment(ColumnLexer *lexer)
{
	const char *end = strstr(lexer->rest + 2, "*/");

	if (end == NULL)
		deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
					   "unterminated comment in the column list");
	lexer->rest = end + 2;
}

/* The quote within is written twice. */
static void
read_quoted(ColumnLexer *lexer, TokenKind kind)
{
	char		quote = *lexer->rest++;
	char	   *out = palloc(strlen(lexer->rest) + 1);

	lexer->token.kind = kind;
	lexer->token.text = out;
	for (; *lexer->rest != '\0'; lexer->rest++)
	{
		if (*lexer->rest == quote && *++lexer->rest != quote)
		{
			*out = '\0';
			return;
		}
		*out++ = *lexer->rest;
	}
	deltatx_refuse(lexer->place, COLUMNS_FIELD, NULL,
				   "unterminated %s in the column list", kind == TOKEN_STRING ? "string" : "name");
}

static void
read_run(ColumnLexer *lexer, TokenKind kind, bool (*belongs) (char c))
{
	const char *start = lexer->rest;

	while (belongs(*lexer->rest))
		lexer->rest++;
	lexer->token.kind = kind;
	lexer->token.text = pnstrdup(start, lexer->rest - start);
}

static bool
is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || IS_HIGHBIT_SET(c);
}

static bool
is_word_part(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}
