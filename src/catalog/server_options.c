/*-------------------------------------------------------------------------
 *
 * server_options.c
 *	  The options of servers and user mappings.
 *
 * Who may create servers is not thereby trusted with the machine: what makes
 * the server process read files, speak to other hosts than a cloud's, or use
 * an identity that is not the user's, is for superusers.  PostgreSQL checks
 * the options as a whole after each change, so a server or mapping that has
 * such an option can be altered by superusers only.
 *
 * Anybody may read a server's options, hence secrets are options of mappings.
 * No message here shows a value: it could be a secret given to the wrong
 * option.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "catalog/locations.h"
#include "catalog/server_options.h"
#include "errors.h"

typedef enum OptionKind
{
	OPTION_TEXT,				/* printable ASCII, since it goes into headers and names */
	OPTION_BOOLEAN,
	OPTION_PATH					/* absolute, of this machine */
} OptionKind;

typedef struct KnownOption
{
	const char *name;
	Oid			catalog;
	OptionKind	kind;
	bool		superuser_only;
} KnownOption;

static const KnownOption known_options[] = {
	{"type", ForeignServerRelationId, OPTION_TEXT, false},
	{"location", ForeignServerRelationId, OPTION_TEXT, false},
	{"endpoint", ForeignServerRelationId, OPTION_TEXT, true},
	{"region", ForeignServerRelationId, OPTION_TEXT, false},
	{"path_style", ForeignServerRelationId, OPTION_BOOLEAN, false},
	{"ca_file", ForeignServerRelationId, OPTION_PATH, true},
	{"sse", ForeignServerRelationId, OPTION_TEXT, false},
	{"sse_kms_key_id", ForeignServerRelationId, OPTION_TEXT, false},
	{"platform_identity", ForeignServerRelationId, OPTION_BOOLEAN, true},
	{"access_key_id", UserMappingRelationId, OPTION_TEXT, false},
	{"secret_access_key", UserMappingRelationId, OPTION_TEXT, false},
	{"session_token", UserMappingRelationId, OPTION_TEXT, false},
	{"profile", UserMappingRelationId, OPTION_TEXT, true},
	{"credentials_file", UserMappingRelationId, OPTION_PATH, true},
};

static void check_option(DefElem *option, Oid catalog);
static const KnownOption *find_option(const char *name, Oid catalog);
static char *known_names(Oid catalog);
static void check_value(const KnownOption *known, DefElem *option);
static void check_server(const List *options);
static void check_location(const List *options, const char *type);
static void check_s3(const List *options);
static void check_endpoint(const char *endpoint);
static void check_encryption(const char *sse, const char *key_id);
static void check_mapping(const List *options);
static void require_together(const List *options, const char *name, const char *other);
static void refuse_value(const char *name, const char *hint) pg_attribute_noreturn();

void
deltatx_server_options_check(const List *options, Oid catalog)
{
	ListCell   *cell;

	foreach(cell, options)
		check_option(lfirst(cell), catalog);
	if (catalog == ForeignServerRelationId)
		check_server(options);
	else if (catalog == UserMappingRelationId)
		check_mapping(options);
}

static void
check_option(DefElem *option, Oid catalog)
{
	const KnownOption *known = find_option(option->defname, catalog);

	if (known == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", option->defname),
				 errhint("%s", known_names(catalog))));
	if (known->superuser_only && !superuser())
		ereport(ERROR,
				(deltatx_condition(DTX_PERMISSION_DENIED, NULL),
				 errmsg("permission denied to set option \"%s\"", known->name),
				 errhint("Only superusers may set it, and change a server or user mapping that has it.")));
	check_value(known, option);
}

static const KnownOption *
find_option(const char *name, Oid catalog)
{
	for (int i = 0; i < lengthof(known_options); i++)
	{
		if (known_options[i].catalog == catalog && strcmp(known_options[i].name, name) == 0)
			return &known_options[i];
	}
	return NULL;
}

static char *
known_names(Oid catalog)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < lengthof(known_options); i++)
	{
		if (known_options[i].catalog == catalog)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", known_options[i].name);
	}
	if (names.len == 0)
		return "There are no options here.";
	return psprintf("Valid options here are: %s.", names.data);
}

static void
check_value(const KnownOption *known, DefElem *option)
{
	const char *value = defGetString(option);
	bool		flag;

	if (value[0] == '\0')
		refuse_value(known->name, "Give it a value, or leave the option out.");
	if (known->kind == OPTION_BOOLEAN && !parse_bool(value, &flag))
		refuse_value(known->name, "Use 'true' or 'false'.");
	if (known->kind == OPTION_PATH && !is_absolute_path(value))
		refuse_value(known->name, "Use an absolute path of the machine that runs the server.");
	if (known->kind != OPTION_TEXT || strcmp(known->name, "location") == 0)
		return;
	for (const char *c = value; *c != '\0'; c++)
	{
		if ((unsigned char) *c <= ' ' || (unsigned char) *c >= 0x7F)
			refuse_value(known->name, "Use printable ASCII characters, and no spaces.");
	}
}

static void
check_server(const List *options)
{
	const char *type = deltatx_server_option(options, "type");

	if (type == NULL || deltatx_server_option(options, "location") == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				 errmsg("options type and location are required"),
				 errhint("For example: OPTIONS (type 's3', location 's3://bucket/prefix').")));
	if (strcmp(type, "azure") == 0 || strcmp(type, "gcs") == 0)
		ereport(ERROR,
				(deltatx_condition(DTX_UNSUPPORTED_FEATURE, NULL),
				 errmsg("this version of deltatx knows no stores of type \"%s\"", type),
				 errhint("Use a store of type s3 or local.")));
	if (strcmp(type, "local") != 0 && strcmp(type, "s3") != 0)
		refuse_value("type", "Use 's3' or 'local'.");

	check_location(options, type);
	if (strcmp(type, "s3") == 0)
		check_s3(options);
	else if (list_length(options) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("a server of type local has no options but type and location")));
}

/* A directory that is opened to others by a server must be one that its creator may write. */
static void
check_location(const List *options, const char *type)
{
	const char *location = deltatx_server_option(options, "location");
	bool		is_s3 = strcmp(type, "s3") == 0;

	if (strncmp(location, is_s3 ? "s3://" : "file:///", is_s3 ? 5 : 8) != 0)
		refuse_value("location", is_s3 ? "A store of type s3 is at s3://bucket or s3://bucket/prefix." :
					 "A store of type local is at file:///directory.");
	deltatx_location_check_server(location);
	if (!is_s3 && !has_privs_of_role(GetUserId(), ROLE_PG_WRITE_SERVER_FILES))
		ereport(ERROR,
				(deltatx_condition(DTX_PERMISSION_DENIED, NULL),
				 errmsg("permission denied to make a server of type local"),
				 errhint("It needs the rights of role pg_write_server_files.")));
}

static void
check_s3(const List *options)
{
	const char *region = deltatx_server_option(options, "region");
	const char *endpoint = deltatx_server_option(options, "endpoint");

	if (region != NULL && region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		refuse_value("region", "A region is a name such as eu-west-1.");
	if (endpoint != NULL)
		check_endpoint(endpoint);
	check_encryption(deltatx_server_option(options, "sse"),
					 deltatx_server_option(options, "sse_kms_key_id"));
}

static void
check_endpoint(const char *endpoint)
{
	const char *host = strstr(endpoint, "://");

	if (host == NULL || (strncmp(endpoint, "https://", 8) != 0 && strncmp(endpoint, "http://", 7) != 0) ||
		host[3] == '\0' || strpbrk(host + 3, "/@?#\\%") != NULL)
		refuse_value("endpoint", "An endpoint is http or https, a host and perhaps a port, such as https://s3.example.com:9000.");
}

static void
check_encryption(const char *sse, const char *key_id)
{
	if (sse != NULL && strcmp(sse, "AES256") != 0 && strcmp(sse, "aws:kms") != 0)
		refuse_value("sse", "Use 'AES256' or 'aws:kms'.");
	if (key_id != NULL && (sse == NULL || strcmp(sse, "aws:kms") != 0))
		refuse_value("sse_kms_key_id", "It needs option sse 'aws:kms'.");
}

static void
check_mapping(const List *options)
{
	bool		by_file = deltatx_server_option(options, "profile") != NULL ||
		deltatx_server_option(options, "credentials_file") != NULL;

	require_together(options, "access_key_id", "secret_access_key");
	require_together(options, "secret_access_key", "access_key_id");
	require_together(options, "session_token", "access_key_id");
	if (by_file == (deltatx_server_option(options, "access_key_id") != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("a user mapping has either keys or a file of them"),
				 errhint("Set access_key_id and secret_access_key, or profile and credentials_file.")));
}

static void
require_together(const List *options, const char *name, const char *other)
{
	if (deltatx_server_option(options, name) == NULL || deltatx_server_option(options, other) != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
			 errmsg("option \"%s\" needs option \"%s\" too", name, other)));
}

static void
refuse_value(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", name),
			 errhint("%s", hint)));
}

const char *
deltatx_server_option(const List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

bool
deltatx_server_flag(const List *options, const char *name)
{
	const char *value = deltatx_server_option(options, name);
	bool		flag;

	return value != NULL && parse_bool(value, &flag) && flag;
}

size_t
deltatx_server_covers(const List *options, const char *location)
{
	const char *own = deltatx_server_option(options, "location");
	size_t		length = own != NULL ? strlen(own) : 0;

	while (length > 0 && own[length - 1] == '/')
		length--;
	if (length == 0 || strncmp(location, own, length) != 0)
		return 0;
	return location[length] == '\0' || location[length] == '/' ? length : 0;
}
