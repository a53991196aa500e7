/*-------------------------------------------------------------------------
 *
 * partition_value.c
 *	  Partition values in the types of their columns.
 *
 * A log holds partition values as strings (PROTOCOL.md, "Partition Value
 * Serialization").  Two files are in the same partition when their values are
 * equal in the column's type, however they are spelled: 7 and 07, 1.5 and
 * 1.50, both forms of a timestamp.
 *
 * A timestamp without a zone was meant in the zone of whoever wrote it, which
 * nobody knows any more; it is taken as UTC, like the form with a zone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "datatype/timestamp.h"
#include "utils/datetime.h"
#include "utils/float.h"

#include "action/json_reader.h"
#include "action/partition.h"

/* The protocol's limit. */
#define DECIMAL_MAX_PRECISION	38

static bool parse_integer(const char *text, int64 min, int64 max, int64 *result);
static bool parse_boolean(const char *text, int64 *result);
static bool parse_real(const char *text, bool single, double *result);
static const char *skip_real(const char *text);
static bool parse_decimal(const char *text, const DeltaType *type, PartitionValue *value);
static bool parse_date(const char **text, int64 *days);
static bool parse_timestamp(const char *text, bool zone_allowed, int64 *microseconds);
static bool parse_time(const char **text, int64 *microseconds);
static bool parse_digits(const char **text, int n, int *result);
static bool parse_separator(const char **text, char separator);

bool
deltatx_partition_value_parse(const char *text, const DeltaType *type, PartitionValue *value)
{
	memset(value, 0, sizeof(*value));
	value->is_null = (text == NULL || text[0] == '\0');
	if (value->is_null)
		return true;

	switch (type->kind)
	{
		case DELTA_STRING:
		case DELTA_BINARY:
			value->text = pstrdup(text);
			return true;
		case DELTA_LONG:
			return parse_integer(text, PG_INT64_MIN, PG_INT64_MAX, &value->integer);
		case DELTA_INTEGER:
			return parse_integer(text, PG_INT32_MIN, PG_INT32_MAX, &value->integer);
		case DELTA_SHORT:
			return parse_integer(text, PG_INT16_MIN, PG_INT16_MAX, &value->integer);
		case DELTA_BYTE:
			return parse_integer(text, PG_INT8_MIN, PG_INT8_MAX, &value->integer);
		case DELTA_BOOLEAN:
			return parse_boolean(text, &value->integer);
		case DELTA_FLOAT:
			return parse_real(text, true, &value->real);
		case DELTA_DOUBLE:
			return parse_real(text, false, &value->real);
		case DELTA_DECIMAL:
			return parse_decimal(text, type, value);
		case DELTA_DATE:
			return parse_date(&text, &value->integer) && *text == '\0';
		case DELTA_TIMESTAMP:
			return parse_timestamp(text, true, &value->integer);
		case DELTA_TIMESTAMP_NTZ:
			return parse_timestamp(text, false, &value->integer);
		case DELTA_VARIANT:
		case DELTA_STRUCT:
		case DELTA_ARRAY:
		case DELTA_MAP:
			break;
	}
	elog(ERROR, "partition column of type %d", type->kind);
}

int
deltatx_partition_value_compare(const PartitionValue *a, const PartitionValue *b,
								const DeltaType *type)
{
	switch (type->kind)
	{
		case DELTA_STRING:
		case DELTA_BINARY:
			return strcmp(a->text, b->text);
		case DELTA_FLOAT:
		case DELTA_DOUBLE:
			return float8_cmp_internal(a->real, b->real);
		case DELTA_DECIMAL:
			if (a->negative != b->negative)
				return a->negative ? -1 : 1;
			return a->negative ? strcmp(b->text, a->text) : strcmp(a->text, b->text);
		default:
			return (a->integer > b->integer) - (a->integer < b->integer);
	}
}

bool
deltatx_partition_value_equal(const PartitionValue *a, const PartitionValue *b,
							  const DeltaType *type)
{
	if (a->is_null || b->is_null)
		return a->is_null && b->is_null;
	return deltatx_partition_value_compare(a, b, type) == 0;
}

void
deltatx_partition_value_append(StringInfo out, const PartitionValue *value,
							   const DeltaType *type)
{
	if (value->is_null)
	{
		appendStringInfoString(out, "null");
		return;
	}

	switch (type->kind)
	{
		case DELTA_STRING:
		case DELTA_BINARY:
			deltatx_json_append_string(out, value->text);
			break;
		case DELTA_FLOAT:
		case DELTA_DOUBLE:
			{
				char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

				double_to_shortest_decimal_buf(value->real, digits);
				deltatx_json_append_string(out, digits);
				break;
			}
		case DELTA_DECIMAL:
			appendStringInfo(out, "\"%s%s\"", value->negative ? "-" : "", value->text);
			break;
		default:
			appendStringInfo(out, "\"" INT64_FORMAT "\"", value->integer);
			break;
	}
}

static bool
parse_integer(const char *text, int64 min, int64 max, int64 *result)
{
	return deltatx_parse_integer(text, text + strlen(text), result) &&
		*result >= min && *result <= max;
}

static bool
parse_boolean(const char *text, int64 *result)
{
	*result = (strcmp(text, "true") == 0);
	return *result || strcmp(text, "false") == 0;
}

static bool
parse_real(const char *text, bool single, double *result)
{
	if (strcmp(text, "NaN") == 0)
		*result = get_float8_nan();
	else if (strcmp(text, "Infinity") == 0)
		*result = get_float8_infinity();
	else if (strcmp(text, "-Infinity") == 0)
		*result = -get_float8_infinity();
	else
	{
		/* strtod() takes more than we do. */
		if (*skip_real(text) != '\0')
			return false;
		*result = single ? strtof(text, NULL) : strtod(text, NULL);
		if (isinf(*result))
			return false;
		/* Both zeros are one value. */
		if (*result == 0)
			*result = 0;
	}
	return true;
}

/* Pass over a decimal number with an optional fraction and exponent; text itself: there is none. */
static const char *
skip_real(const char *text)
{
	static const char *const digits = "0123456789";
	const char *p = text + (*text == '-');
	size_t		whole = strspn(p, digits);
	size_t		fraction = 0;

	p += whole;
	if (*p == '.')
	{
		fraction = strspn(p + 1, digits);
		p += 1 + fraction;
	}
	if (whole + fraction == 0)
		return text;

	if (*p == 'e' || *p == 'E')
	{
		size_t		sign = (p[1] == '-' || p[1] == '+');
		size_t		exponent = strspn(p + 1 + sign, digits);

		if (exponent > 0)
			p += 1 + sign + exponent;
	}
	return p;
}

/* Into exactly "precision" digits, so that they compare as strings. */
static bool
parse_decimal(const char *text, const DeltaType *type, PartitionValue *value)
{
	static const char *const digits = "0123456789";
	bool		negative = (*text == '-');
	const char *whole = text + negative;
	const char *fraction = "";
	int			n_whole = strspn(whole, digits);
	int			n_fraction = 0;

	if (whole[n_whole] == '.')
	{
		fraction = whole + n_whole + 1;
		n_fraction = strspn(fraction, digits);
	}
	if (n_whole + n_fraction == 0 ||
		(whole[n_whole] != '\0' && fraction[0] == '\0') || fraction[n_fraction] != '\0')
		return false;

	/* Zeros at both ends say nothing. */
	while (n_whole > 0 && *whole == '0')
		whole++, n_whole--;
	while (n_fraction > 0 && fraction[n_fraction - 1] == '0')
		n_fraction--;
	if (n_whole > type->precision - type->scale || n_fraction > type->scale)
		return false;

	Assert(type->precision <= DECIMAL_MAX_PRECISION);
	value->text = palloc(type->precision + 1);
	memset(value->text, '0', type->precision);
	memcpy(value->text + type->precision - type->scale - n_whole, whole, n_whole);
	memcpy(value->text + type->precision - type->scale, fraction, n_fraction);
	value->text[type->precision] = '\0';
	value->negative = negative && n_whole + n_fraction > 0;
	return true;
}

/* yyyy-MM-dd */
static bool
parse_date(const char **text, int64 *days)
{
	int			year;
	int			month;
	int			day;

	if (!parse_digits(text, 4, &year) || !parse_separator(text, '-') ||
		!parse_digits(text, 2, &month) || !parse_separator(text, '-') ||
		!parse_digits(text, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
		day > day_tab[isleap(year) ? 1 : 0][month - 1])
		return false;

	*days = date2j(year, month, day) - UNIX_EPOCH_JDATE;
	return true;
}

/* yyyy-MM-dd HH:mm:ss[.SSSSSS], or yyyy-MM-ddTHH:mm:ss[.SSSSSS]Z */
static bool
parse_timestamp(const char *text, bool zone_allowed, int64 *microseconds)
{
	int64		days;
	int64		time;
	bool		with_zone;

	if (!parse_date(&text, &days))
		return false;
	with_zone = (*text == 'T');
	if ((with_zone && !zone_allowed) || (!with_zone && *text != ' '))
		return false;
	text++;
	if (!parse_time(&text, &time) || (with_zone && !parse_separator(&text, 'Z')))
		return false;

	*microseconds = days * USECS_PER_DAY + time;
	return *text == '\0';
}

/* HH:mm:ss, and one to six digits of a fraction */
static bool
parse_time(const char **text, int64 *microseconds)
{
	int			hour;
	int			minute;
	int			second;
	int			fraction = 0;
	int			unit = USECS_PER_SEC;

	if (!parse_digits(text, 2, &hour) || !parse_separator(text, ':') ||
		!parse_digits(text, 2, &minute) || !parse_separator(text, ':') ||
		!parse_digits(text, 2, &second))
		return false;
	if (parse_separator(text, '.'))
	{
		int			digit;

		while (unit > 1 && parse_digits(text, 1, &digit))
		{
			unit /= 10;
			fraction += digit * unit;
		}
		if (unit == USECS_PER_SEC)
			return false;
	}

	*microseconds = (hour * INT64CONST(3600) + minute * 60 + second) * USECS_PER_SEC + fraction;
	return hour < 24 && minute < 60 && second < 60;
}

/* Exactly n digits. */
static bool
parse_digits(const char **text, int n, int *result)
{
	*result = 0;
	for (int i = 0; i < n; i++, (*text)++)
	{
		if (**text < '0' || **text > '9')
			return false;
		*result = *result * 10 + (**text - '0');
	}
	return true;
}

static bool
parse_separator(const char **text, char separator)
{
	if (**text != separator)
		return false;
	(*text)++;
	return true;
}
