/*-------------------------------------------------------------------------
 *
 * lexer.h
 *	  The words of a SQL column list.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SCHEMA_LEXER_H
#define DELTATX_SCHEMA_LEXER_H

#include "errors.h"

typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_WORD,					/* an unquoted name or keyword */
	TOKEN_QUOTED,				/* a quoted name */
	TOKEN_STRING,				/* a string constant */
	TOKEN_NUMBER,
	TOKEN_SYMBOL				/* one character */
} TokenKind;

typedef struct Token
{
	TokenKind	kind;
	char	   *text;			/* as written, quotes and their doubling removed */
} Token;

typedef struct ColumnLexer
{
	const char *rest;			/* what was not read yet */
	Token		token;			/* the current one */
	int			depth;			/* of the type that is parsed */
	const char *column;			/* whose type it is, "a.b"; NULL: none yet */
	const DocumentPlace *place;
} ColumnLexer;

/* The name of the argument that is parsed, for errors. */
#define COLUMNS_FIELD	"columns"

/* The first token becomes the current one. */
extern void deltatx_lexer_start(ColumnLexer *lexer, const char *text,
								const DocumentPlace *place);
extern void deltatx_lexer_next(ColumnLexer *lexer);

/* Is the current token that keyword, in upper or lower case?  If so, go on to the next. */
extern bool deltatx_lexer_accept_word(ColumnLexer *lexer, const char *word);
extern bool deltatx_lexer_at_word(const ColumnLexer *lexer, const char *word);

extern bool deltatx_lexer_at_symbol(const ColumnLexer *lexer, char symbol);
extern bool deltatx_lexer_accept_symbol(ColumnLexer *lexer, char symbol);
extern void deltatx_lexer_expect_symbol(ColumnLexer *lexer, char symbol);

/* The current token must be a whole number; its value. */
extern int	deltatx_lexer_expect_number(ColumnLexer *lexer);

/* Refuse the list at the current token, saying what was wanted instead. */
extern void deltatx_lexer_refuse(const ColumnLexer *lexer, const char *wanted)
			pg_attribute_noreturn();

#endif							/* DELTATX_SCHEMA_LEXER_H */
