/*-------------------------------------------------------------------------
 *
 * sigv4.c
 *	  AWS Signature Version 4.
 *
 * libcurl can sign requests too, and no version before 8.19 does it rightly:
 * some leave out a header that S3 requires, some encode paths or queries in
 * another way than they sign them (docs/stores.md).  The algorithm is short,
 * and public: hash a canonical form of the request, and sign that hash, the
 * time and the scope with a key that is derived from the secret.
 *
 * OpenSSL does the hashing, and not PostgreSQL's own wrapper around it: that
 * one needs a resource owner, and requests are sent outside of transactions.
 *
 * What is signed must be what is sent, byte for byte.  Hence paths and queries
 * are encoded here, as strictly as AWS says: everything but A-Z a-z 0-9 - . _ ~
 * and sent in that form.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/sha2.h"
#include "lib/stringinfo.h"

#include "store/sigv4.h"

#define ALGORITHM	"AWS4-HMAC-SHA256"
#define DATE_LENGTH	8

static char *canonical_request(const SigV4Request *request);
static char *signed_headers(const List *headers);
static char *scope_of(const SigV4Request *request);
static void signing_key(const SigV4Request *request, const char *secret, uint8 *key);
static void hmac(const void *key, size_t key_size, const char *data, size_t size, uint8 *result);
static int	compare_pairs(const ListCell *a, const ListCell *b);

char *
deltatx_sigv4_authorization(const SigV4Request *request, const char *access_key_id,
							const char *secret_access_key)
{
	char	   *canonical = canonical_request(request);
	char	   *scope = scope_of(request);
	char		canonical_hash[SIGV4_HASH_SIZE];
	char	   *string_to_sign;
	uint8		key[PG_SHA256_DIGEST_LENGTH];
	uint8		signature[PG_SHA256_DIGEST_LENGTH];
	char		hexadecimal[SIGV4_HASH_SIZE];

	deltatx_sigv4_hash(canonical, strlen(canonical), canonical_hash);
	string_to_sign = psprintf(ALGORITHM "\n%s\n%s\n%s", request->time, scope, canonical_hash);
	signing_key(request, secret_access_key, key);
	hmac(key, sizeof(key), string_to_sign, strlen(string_to_sign), signature);
	deltatx_sigv4_hex(signature, hexadecimal);

	return psprintf(ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
					access_key_id, scope, signed_headers(request->headers), hexadecimal);
}

static char *
canonical_request(const SigV4Request *request)
{
	List	   *headers = list_copy(request->headers);
	StringInfoData out;
	ListCell   *cell;

	list_sort(headers, compare_pairs);
	initStringInfo(&out);
	appendStringInfo(&out, "%s\n%s\n%s\n", request->method, request->path,
					 deltatx_sigv4_query(request->query));
	foreach(cell, headers)
	{
		const SigV4Pair *header = lfirst(cell);

		appendStringInfo(&out, "%s:%s\n", header->name, header->value);
	}
	appendStringInfo(&out, "\n%s\n%s", signed_headers(headers), request->payload_hash);
	return out.data;
}

static char *
signed_headers(const List *headers)
{
	List	   *sorted = list_copy(headers);
	StringInfoData out;
	ListCell   *cell;

	list_sort(sorted, compare_pairs);
	initStringInfo(&out);
	foreach(cell, sorted)
		appendStringInfo(&out, "%s%s", out.len > 0 ? ";" : "", ((SigV4Pair *) lfirst(cell))->name);
	return out.data;
}

static char *
scope_of(const SigV4Request *request)
{
	return psprintf("%.*s/%s/%s/aws4_request", DATE_LENGTH, request->time,
					request->region, request->service);
}

static void
signing_key(const SigV4Request *request, const char *secret, uint8 *key)
{
	char	   *seed = psprintf("AWS4%s", secret);
	const char *const parts[] = {request->region, request->service, "aws4_request"};

	hmac(seed, strlen(seed), request->time, DATE_LENGTH, key);
	for (int i = 0; i < lengthof(parts); i++)
		hmac(key, PG_SHA256_DIGEST_LENGTH, parts[i], strlen(parts[i]), key);

	/* No copy of the secret stays in memory that is used for something else later. */
	OPENSSL_cleanse(seed, strlen(seed));
	pfree(seed);
}

/* The result may be where the key is. */
static void
hmac(const void *key, size_t key_size, const char *data, size_t size, uint8 *result)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (HMAC(EVP_sha256(), key, (int) key_size, (const unsigned char *) data, size, digest, NULL) == NULL)
		elog(ERROR, "could not compute HMAC-SHA256");
	memcpy(result, digest, sizeof(digest));
}

void
deltatx_sigv4_hash(const void *data, size_t size, char *hexadecimal)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
		elog(ERROR, "could not compute SHA-256");
	deltatx_sigv4_hex(digest, hexadecimal);
}

void
deltatx_sigv4_hex(const uint8 *hash, char *hexadecimal)
{
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		snprintf(hexadecimal + 2 * i, 3, "%02x", hash[i]);
}

void
deltatx_sigv4_time(time_t at, char *text)
{
	struct tm	utc;

	(void) gmtime_r(&at, &utc);
	(void) strftime(text, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

char *
deltatx_sigv4_query(const List *query)
{
	List	   *encoded = NIL;
	StringInfoData out;
	ListCell   *cell;

	foreach(cell, query)
	{
		const SigV4Pair *raw = lfirst(cell);
		SigV4Pair  *pair = palloc(sizeof(SigV4Pair));

		pair->name = deltatx_uri_encode(raw->name, false);
		pair->value = deltatx_uri_encode(raw->value, false);
		encoded = lappend(encoded, pair);
	}

	list_sort(encoded, compare_pairs);
	initStringInfo(&out);
	foreach(cell, encoded)
	{
		const SigV4Pair *pair = lfirst(cell);

		appendStringInfo(&out, "%s%s=%s", out.len > 0 ? "&" : "", pair->name, pair->value);
	}
	return out.data;
}

char *
deltatx_uri_encode(const char *text, bool keep_slashes)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const unsigned char *c = (const unsigned char *) text; *c != '\0'; c++)
	{
		bool		plain = (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
			(*c >= '0' && *c <= '9') || strchr("-._~", *c) != NULL ||
			(*c == '/' && keep_slashes);

		if (plain)
			appendStringInfoChar(&out, *c);
		else
			appendStringInfo(&out, "%%%02X", *c);
	}
	return out.data;
}

static int
compare_pairs(const ListCell *a, const ListCell *b)
{
	return strcmp(((const SigV4Pair *) lfirst(a))->name, ((const SigV4Pair *) lfirst(b))->name);
}
