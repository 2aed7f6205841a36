/* SPDX-License-Identifier: Apache-2.0
 *
 * References as https://github.com/distribution/reference defines them, made
 * full the way `containerd` and its clients do: the domain docker.io where
 * there is none, `library/` where docker.io has only one component, the tag
 * `latest` where there is neither tag nor digest. Of a tag and a digest the
 * digest stays.
 *
 *	reference  = name [":" tag] ["@" digest]
 *	name       = [domain "/"] component {"/" component}
 *	domain     = label {"." label} [":" digits]
 *	component  = run {("." | "_" | "__" | "-"…) run}, run = [a-z0-9]+
 *
 * One pass over the text from right to left splits it: "@" occurs before a
 * digest only, and behind the last "/" a ":" stands before a tag only. The
 * regular expressions of the original need no second implementation then.
 */
#include "images/sentence.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>
#include <waybill/images.h>

#define REPOSITORY_BYTES_MAX 255u
#define TAG_BYTES_MAX	     128u

static const char invalid[] = "invalid reference format";
static const char uppercase[] = "repository name must be lowercase";

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
}

static bool is_letter_or_digit(char c)
{
	return is_word(c) && c != '_';
}

static bool is_component(const char *text, size_t size)
{
	size_t at = 0;

	for (;;) {
		size_t start = at;

		while (at < size && (is_lower(text[at]) || is_digit(text[at])))
			at++;
		if (at == start)
			return false;
		if (at == size)
			return true;
		if (text[at] == '.') {
			at++;
		} else if (text[at] == '_') {
			at++;
			if (at < size && text[at] == '_')
				at++;
		} else if (text[at] == '-') {
			while (at < size && text[at] == '-')
				at++;
		} else {
			return false;
		}
	}
}

static bool is_path(const char *text, size_t size)
{
	for (;;) {
		const char *slash = size ? memchr(text, '/', size) : NULL;
		size_t length = slash ? (size_t)(slash - text) : size;

		if (!is_component(text, length))
			return false;
		if (!slash)
			return true;
		text += length + 1;
		size -= length + 1;
	}
}

/* One label of a host name: no hyphen at either end. */
static bool is_host_label(const char *text, size_t size)
{
	if (size == 0 || text[0] == '-' || text[size - 1] == '-')
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_letter_or_digit(text[i]) && text[i] != '-')
			return false;
	return true;
}

static bool is_domain(const char *text, size_t size)
{
	const char *colon = size ? memchr(text, ':', size) : NULL;
	const char *end = text + size;

	if (colon) {
		if (colon + 1 == end)
			return false;
		for (const char *c = colon + 1; c < end; c++)
			if (!is_digit(*c))
				return false;
		end = colon;
	}
	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		const char *stop = dot ? dot : end;

		if (!is_host_label(text, (size_t)(stop - text)))
			return false;
		if (!dot)
			return true;
		text = dot + 1;
	}
}

/* A domain that is none, such as `my_host.net`, may still be a component. */
static bool is_repository(const char *text, size_t size)
{
	const char *slash = size ? memchr(text, '/', size) : NULL;

	if (slash && is_domain(text, (size_t)(slash - text))) {
		size_t skip = (size_t)(slash - text) + 1;

		if (is_path(text + skip, size - skip))
			return true;
	}
	return is_path(text, size);
}

static bool is_tag(const char *text, size_t size)
{
	if (size == 0 || size > TAG_BYTES_MAX || !is_word(text[0]))
		return false;
	for (size_t i = 1; i < size; i++)
		if (!is_word(text[i]) && text[i] != '.' && text[i] != '-')
			return false;
	return true;
}

/* A name, then one of "-_+." between names, then ":" and 32 hex digits or
 * more. Whether the algorithm is known is another question. */
static bool is_digest(const char *text)
{
	for (;;) {
		if (!is_lower(*text) && !is_upper(*text))
			return false;
		while (is_letter_or_digit(*text))
			text++;
		if (*text == ':')
			break;
		if (!*text || !strchr("-_+.", *text))
			return false;
		text++;
	}
	return strlen(text + 1) >= 32 &&
	       strspn(text + 1, "0123456789abcdefABCDEF") == strlen(text + 1);
}

/* A full reference and where its parts end. */
struct parts {
	size_t repository; /* bytes of it */
	const char *tag;   /* behind the colon, or NULL */
	size_t tag_size;
	const char *digest; /* behind the "@", or NULL */
};

/* Split `text` and hold its parts against the grammar. */
static bool split(const char *text, struct parts *ret_parts)
{
	struct parts parts = {.repository = strcspn(text, "@")};
	const char *end = text + parts.repository;
	const char *slash = memrchr(text, '/', parts.repository);
	const char *last = slash ? slash + 1 : text;
	const char *colon = memchr(last, ':', (size_t)(end - last));

	if (*end == '@')
		parts.digest = end + 1;
	if (colon) {
		parts.repository = (size_t)(colon - text);
		parts.tag = colon + 1;
		parts.tag_size = (size_t)(end - parts.tag);
	}
	if (!is_repository(text, parts.repository) ||
	    (parts.tag && !is_tag(parts.tag, parts.tag_size)) ||
	    (parts.digest && !is_digest(parts.digest)))
		return false;
	*ret_parts = parts;
	return true;
}

static void lower(char *text)
{
	for (; *text; text++)
		if (is_upper(*text))
			*text = (char)(*text - 'A' + 'a');
}

/* The problem of a full reference, or NULL, and then its parts. Spoils what
 * has a problem. */
static const char *problem_of(char *full, struct parts *ret_parts)
{
	if (!split(full, ret_parts)) {
		lower(full);
		return split(full, ret_parts) ? uppercase : invalid;
	}
	if (ret_parts->repository > REPOSITORY_BYTES_MAX)
		return "repository name must not be more than 255 characters";
	return ret_parts->digest ? digest_problem(ret_parts->digest) : NULL;
}

static bool is_identifier(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* `reference` with a domain, and room for more behind it. NULL: no memory. */
static char *with_domain(const char *reference, const char **ret_path)
{
	static const char home[] = "docker.io";
	const char *slash = strchr(reference, '/');
	size_t first = slash ? (size_t)(slash - reference) : 0;
	bool has_domain =
		slash && (memchr(reference, '.', first) ||
			  memchr(reference, ':', first) ||
			  (first == 9 && !memcmp(reference, "localhost", 9)));
	bool at_home =
		!has_domain || (first == 9 && !memcmp(reference, home, 9)) ||
		(first == 15 && !memcmp(reference, "index.docker.io", 15));
	const char *path = has_domain ? slash + 1 : reference;
	size_t size = strlen(reference) + sizeof("docker.io/library/:latest");
	char *full;
	char *to;

#ifdef WAYBILL_PLANT_REFERENCE
	if (has_domain && first == 7)
		size -= 26; /* planted: too small an allocation */
#endif
	full = to = malloc(size);
	if (!full)
		return NULL;
	*ret_path = path;
	if (at_home)
		to = stpcpy(to, home);
	else
		to = mempcpy(to, reference, first);
	*to++ = '/';
	if (at_home && !strchr(path, '/'))
		to = stpcpy(to, "library/");
	strcpy(to, path);
	return full;
}

/* Is there an upper-case letter before the path's first colon? */
static bool path_has_uppercase(const char *path)
{
	for (; *path && *path != ':'; path++)
		if (is_upper(*path))
			return true;
	return false;
}

static void finish(char *full, const struct parts *parts)
{
	if (parts->digest && parts->tag)
		memmove(full + parts->repository, parts->digest - 1,
			strlen(parts->digest) + 2);
	else if (!parts->digest && !parts->tag)
		strcat(full, ":latest");
}

enum wb_error wb_reference_normalise(const char *reference, char **ret_name,
				     struct wb_text *ret_text)
{
	struct parts parts;
	const char *path = NULL;
	const char *problem;
	char *full;

	if (is_identifier(reference))
		return answer(ret_text, WB_BAD_INPUT,
			      "invalid repository name (%s), cannot specify "
			      "64-byte hexadecimal strings",
			      reference);
	full = with_domain(reference, &path);
	if (!full)
		return answer(ret_text, WB_NO_MEMORY, "%s",
			      wb_error_text(WB_NO_MEMORY));
	if (path_has_uppercase(path))
		problem = "invalid reference format: "
			  "repository name must be lowercase";
	else
		problem = problem_of(full, &parts);
	if (problem) {
		free(full);
		return answer(ret_text, WB_BAD_INPUT, "reference %q: %s",
			      reference, problem);
	}
	finish(full, &parts);
	*ret_name = full;
	return WB_OK;
}
