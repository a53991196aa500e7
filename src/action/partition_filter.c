/*-------------------------------------------------------------------------
 *
 * partition_filter.c
 *	  Filters on partition values.
 *
 * A filter is an object with a condition for some of the partition columns;
 * a file matches when all conditions hold.  A condition is a value, an array
 * of values any of which will do, or an object of bounds.  It decides which
 * files an overwrite removes, so nothing in it is guessed: a column or an
 * operator that we don't know, or a value that isn't one of the column's type,
 * is refused.  Bounds never hold for null.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "action/partition.h"

typedef enum BoundOperator
{
	BOUND_GTE,
	BOUND_GT,
	BOUND_LTE,
	BOUND_LT
} BoundOperator;

static const char *const bound_names[] = {
	[BOUND_GTE] = "gte",
	[BOUND_GT] = "gt",
	[BOUND_LTE] = "lte",
	[BOUND_LT] = "lt",
};

typedef struct Bound
{
	BoundOperator operator;
	PartitionValue value;
} Bound;

/* What one column must fulfil. */
typedef struct Condition
{
	bool		is_range;		/* bounds count, else values */
	int			n;
	PartitionValue *values;
	Bound	   *bounds;
} Condition;

struct PartitionFilter
{
	int			n;
	DeltaField **columns;
	Condition  *conditions;
	MemoryContext scratch;		/* reset after every file */
};

static const DeltaField *find_column(const JsonbValue *name, const TableShape *shape,
									 const DocumentPlace *place);
static void parse_condition(Condition *condition, const JsonbValue *given,
							const DeltaField *column, const DocumentPlace *place);
static void parse_values(Condition *condition, JsonbContainer *array,
						 const DeltaField *column, const DocumentPlace *place);
static void parse_bounds(Condition *condition, JsonbContainer *object,
						 const DeltaField *column, const DocumentPlace *place);
static BoundOperator parse_operator(const JsonbValue *name, const DeltaField *column,
									const DocumentPlace *place);
static void parse_scalar(PartitionValue *value, const JsonbValue *given,
						 const DeltaField *column, const DocumentPlace *place);
static char *scalar_text(const JsonbValue *given, const DeltaField *column,
						 const DocumentPlace *place);
static DeltaField *copy_column(const DeltaField *column);
static bool condition_holds(const Condition *condition, const PartitionValue *value,
							const DeltaType *type);
static bool bound_holds(const Bound *bound, const PartitionValue *value, const DeltaType *type);

PartitionFilter *
deltatx_partition_filter_parse(Jsonb *filter, const TableShape *shape, const DocumentPlace *place)
{
	PartitionFilter *result = palloc0(sizeof(PartitionFilter));
	JsonbIterator *iterator = JsonbIteratorInit(&filter->root);
	JsonbValue	value;

	if (!JB_ROOT_IS_OBJECT(filter))
		deltatx_refuse(place, "partition_filter",
					   "Give a filter like {\"day\": \"2026-11-01\", \"hour\": {\"gte\": 3}}.",
					   "partition_filter must be a JSON object");

	result->columns = palloc(sizeof(DeltaField *) * (JB_ROOT_COUNT(filter) + 1));
	result->conditions = palloc0(sizeof(Condition) * (JB_ROOT_COUNT(filter) + 1));
	result->scratch = AllocSetContextCreate(CurrentMemoryContext,
											"deltatx partition filter", ALLOCSET_SMALL_SIZES);

	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
	{
		const DeltaField *column = find_column(&value, shape, place);

		(void) JsonbIteratorNext(&iterator, &value, true);
		result->columns[result->n] = copy_column(column);
		parse_condition(&result->conditions[result->n], &value, column, place);
		result->n++;
	}
	return result;
}

bool
deltatx_partition_filter_matches(const PartitionFilter *filter, const char *partition_values)
{
	MemoryContext caller_context;
	char	  **texts;
	bool		result = true;

	caller_context = MemoryContextSwitchTo(filter->scratch);
	texts = deltatx_partition_texts(partition_values, filter->columns, filter->n);
	for (int i = 0; i < filter->n && result; i++)
	{
		PartitionValue value;

		deltatx_partition_value_of(texts[i], filter->columns[i], &value);
		result = condition_holds(&filter->conditions[i], &value, filter->columns[i]->type);
	}
	MemoryContextSwitchTo(caller_context);
	MemoryContextReset(filter->scratch);

	return result;
}

static const DeltaField *
find_column(const JsonbValue *name, const TableShape *shape, const DocumentPlace *place)
{
	for (int i = 0; i < shape->n_partition_columns; i++)
	{
		const DeltaField *column = shape->partition_columns[i];

		if (strlen(column->name) == name->val.string.len &&
			memcmp(column->name, name->val.string.val, name->val.string.len) == 0)
			return column;
	}
	deltatx_refuse(place, "partition_filter", "Filter by partition columns only.",
				   "partition_filter names \"%.*s\", which is no partition column",
				   Min(name->val.string.len, NAMEDATALEN), name->val.string.val);
}

static void
parse_condition(Condition *condition, const JsonbValue *given,
				const DeltaField *column, const DocumentPlace *place)
{
	if (given->type == jbvBinary && JsonContainerIsArray(given->val.binary.data))
		parse_values(condition, given->val.binary.data, column, place);
	else if (given->type == jbvBinary)
		parse_bounds(condition, given->val.binary.data, column, place);
	else
	{
		condition->n = 1;
		condition->values = palloc(sizeof(PartitionValue));
		parse_scalar(condition->values, given, column, place);
	}
}

static void
parse_values(Condition *condition, JsonbContainer *array,
			 const DeltaField *column, const DocumentPlace *place)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbValue	value;

	condition->values = palloc(sizeof(PartitionValue) * (JsonContainerSize(array) + 1));
	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
		parse_scalar(&condition->values[condition->n++], &value, column, place);
}

static void
parse_bounds(Condition *condition, JsonbContainer *object,
			 const DeltaField *column, const DocumentPlace *place)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue	value;

	condition->is_range = true;
	condition->bounds = palloc(sizeof(Bound) * (JsonContainerSize(object) + 1));
	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_KEY)
	{
		Bound	   *bound = &condition->bounds[condition->n++];

		bound->operator = parse_operator(&value, column, place);
		(void) JsonbIteratorNext(&iterator, &value, true);
		parse_scalar(&bound->value, &value, column, place);
		if (bound->value.is_null)
			deltatx_refuse(place, "partition_filter", NULL,
						   "partition_filter bounds column \"%s\" by null", column->name);
	}
	if (condition->n == 0)
		deltatx_refuse(place, "partition_filter", NULL,
					   "partition_filter gives no bound for column \"%s\"", column->name);
}

static BoundOperator
parse_operator(const JsonbValue *name, const DeltaField *column, const DocumentPlace *place)
{
	for (BoundOperator operator = 0; operator < lengthof(bound_names); operator++)
	{
		if (strlen(bound_names[operator]) == name->val.string.len &&
			memcmp(bound_names[operator], name->val.string.val, name->val.string.len) == 0)
			return operator;
	}
	deltatx_refuse(place, "partition_filter", "The operators are gte, gt, lte and lt.",
				   "partition_filter has an unknown operator \"%.*s\" for column \"%s\"",
				   Min(name->val.string.len, NAMEDATALEN), name->val.string.val, column->name);
}

static void
parse_scalar(PartitionValue *value, const JsonbValue *given,
			 const DeltaField *column, const DocumentPlace *place)
{
	char	   *text = scalar_text(given, column, place);

	if (!deltatx_partition_value_parse(text, column->type, value))
		deltatx_refuse(place, "partition_filter",
					   "Write values as partition values are written.",
					   "partition_filter compares column \"%s\" of type %s with \"%.*s\"",
					   column->name, deltatx_type_to_string(column->type),
					   pg_mbcliplen(text, strlen(text), NAMEDATALEN), text);
}

/* A scalar as it would stand in partitionValues; NULL for null. */
static char *
scalar_text(const JsonbValue *given, const DeltaField *column, const DocumentPlace *place)
{
	switch (given->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return pnstrdup(given->val.string.val, given->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(given->val.numeric)));
		case jbvBool:
			return pstrdup(given->val.boolean ? "true" : "false");
		default:
			deltatx_refuse(place, "partition_filter",
						   "Give a string, a number, a boolean or null, an array of those, or bounds.",
						   "partition_filter compares column \"%s\" with what is no scalar",
						   column->name);
	}
}

/* All of it that matters here; the table's shape may go before the filter does. */
static DeltaField *
copy_column(const DeltaField *column)
{
	DeltaField *copy = palloc0(sizeof(DeltaField));

	copy->name = pstrdup(column->name);
	copy->nullable = true;
	copy->type = palloc(sizeof(DeltaType));
	memcpy(copy->type, column->type, sizeof(DeltaType));
	return copy;
}

static bool
condition_holds(const Condition *condition, const PartitionValue *value, const DeltaType *type)
{
	if (condition->is_range)
	{
		for (int i = 0; i < condition->n; i++)
		{
			if (value->is_null || !bound_holds(&condition->bounds[i], value, type))
				return false;
		}
		return true;
	}

	for (int i = 0; i < condition->n; i++)
	{
		if (deltatx_partition_value_equal(&condition->values[i], value, type))
			return true;
	}
	return false;
}

static bool
bound_holds(const Bound *bound, const PartitionValue *value, const DeltaType *type)
{
	int			order = deltatx_partition_value_compare(value, &bound->value, type);

	switch (bound->operator)
	{
		case BOUND_GTE:
			return order >= 0;
		case BOUND_GT:
			return order > 0;
		case BOUND_LTE:
			return order <= 0;
		case BOUND_LT:
			return order < 0;
	}
	pg_unreachable();
}
