/*-------------------------------------------------------------------------
 *
 * credentials.c
 *	  The keys that requests to AWS and the like are signed with.
 *
 * They are looked up anew for each request's store, which is a few
 * microseconds, so that a key that was changed is used at once.  Nothing here
 * keeps a secret or puts one into a message.
 *
 * What the platform offers (the environment, the default file) is used only
 * where a superuser has allowed it: it is the identity of the machine, not of
 * the table's owner.  Of the platform's sources, web identity and those of
 * containers and instances are known by their variables, and refused by name:
 * a wrong identity found further down the chain would be worse than none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "storage/fd.h"

#include "store/credentials.h"

#define FILE_MAX			65536
#define DEFAULT_FILE		".aws/credentials"
#define DEFAULT_PROFILE		"default"

static bool find_in_environment(Credentials *credentials, char **message, char **hint);
static bool find_in_file(const char *path, const char *profile, Credentials *credentials,
						 char **message, char **hint);
static char *read_file(const char *path);
static void parse_file(char *content, const char *profile, Credentials *credentials);
static void take_line(char *line, Credentials *credentials);
static char *trim(char *text);
static const char *environment(const char *name);
static char *default_file(void);

bool
deltatx_credentials_find(const StoreConnection *connection, Credentials *credentials,
						 char **message, char **hint)
{
	memset(credentials, 0, sizeof(Credentials));
	if (connection->access_key_id != NULL && connection->secret_access_key != NULL)
	{
		credentials->access_key_id = connection->access_key_id;
		credentials->secret_access_key = connection->secret_access_key;
		credentials->session_token = connection->session_token;
		return true;
	}
	if (connection->profile != NULL || connection->credentials_file != NULL)
		return find_in_file(connection->credentials_file != NULL ? connection->credentials_file : default_file(),
							connection->profile != NULL ? connection->profile : DEFAULT_PROFILE,
							credentials, message, hint);
	if (connection->platform_identity)
		return find_in_environment(credentials, message, hint);

	*message = psprintf("there are no credentials for server \"%s\"", connection->server_name);
	*hint = psprintf("Run CREATE USER MAPPING for the table's owner or for PUBLIC, SERVER %s, with access_key_id and secret_access_key.",
					 connection->server_name);
	return false;
}

/* In the order of AWS's own tools. */
static bool
find_in_environment(Credentials *credentials, char **message, char **hint)
{
	static const char *const not_yet[] = {
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI"
	};
	const char *file = environment("AWS_SHARED_CREDENTIALS_FILE");
	const char *profile = environment("AWS_PROFILE");

	credentials->access_key_id = environment("AWS_ACCESS_KEY_ID");
	credentials->secret_access_key = environment("AWS_SECRET_ACCESS_KEY");
	credentials->session_token = environment("AWS_SESSION_TOKEN");
	if (credentials->access_key_id != NULL && credentials->secret_access_key != NULL)
		return true;

	for (int i = 0; i < lengthof(not_yet); i++)
	{
		if (environment(not_yet[i]) == NULL)
			continue;
		*message = psprintf("this version of deltatx can't use credentials by %s", not_yet[i]);
		*hint = pstrdup("Use a user mapping with access_key_id and secret_access_key, or with credentials_file.");
		return false;
	}
	return find_in_file(file != NULL ? file : default_file(), profile != NULL ? profile : DEFAULT_PROFILE,
						credentials, message, hint);
}

static bool
find_in_file(const char *path, const char *profile, Credentials *credentials,
			 char **message, char **hint)
{
	char	   *content = read_file(path);

	memset(credentials, 0, sizeof(Credentials));
	if (content == NULL)
	{
		*message = psprintf("could not read credentials file \"%s\": %m", path);
		*hint = pstrdup("Let the operating system user that runs the server read it, and nobody else.");
		return false;
	}

	parse_file(content, profile, credentials);
	if (credentials->access_key_id != NULL && credentials->secret_access_key != NULL)
		return true;
	*message = psprintf("credentials file \"%s\" has no key for profile \"%s\"", path, profile);
	*hint = pstrdup("It needs a section [profile] with aws_access_key_id and aws_secret_access_key.");
	return false;
}

/* NULL: errno says why. */
static char *
read_file(const char *path)
{
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	char	   *content;
	ssize_t		size;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
	{
		close(fd);
		errno = EINVAL;
		return NULL;
	}

	content = palloc0(FILE_MAX + 1);
	size = read(fd, content, FILE_MAX);
	close(fd);
	return size < 0 ? NULL : content;
}

/* "[profile]", then "name = value" lines; later ones win. */
static void
parse_file(char *content, const char *profile, Credentials *credentials)
{
	bool		wanted = false;
	char	   *rest = NULL;

	for (char *line = strtok_r(content, "\r\n", &rest); line != NULL; line = strtok_r(NULL, "\r\n", &rest))
	{
		char	   *end;

		line = trim(line);
		if (line[0] == '[' && (end = strchr(line, ']')) != NULL)
		{
			*end = '\0';
			wanted = strcmp(trim(line + 1), profile) == 0;
		}
		else if (wanted && line[0] != '#' && line[0] != ';')
			take_line(line, credentials);
	}
}

static void
take_line(char *line, Credentials *credentials)
{
	char	   *value = strchr(line, '=');
	char	   *name;

	if (value == NULL)
		return;
	*value++ = '\0';
	name = trim(line);
	value = trim(value);
	if (pg_strcasecmp(name, "aws_access_key_id") == 0)
		credentials->access_key_id = value;
	else if (pg_strcasecmp(name, "aws_secret_access_key") == 0)
		credentials->secret_access_key = value;
	else if (pg_strcasecmp(name, "aws_session_token") == 0)
		credentials->session_token = value;
}

/* In place. */
static char *
trim(char *text)
{
	size_t		length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
		text[--length] = '\0';
	return text;
}

/* NULL also where it is empty. */
static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static char *
default_file(void)
{
	const char *home = environment("HOME");

	return psprintf("%s/%s", home != NULL ? home : "", DEFAULT_FILE);
}
