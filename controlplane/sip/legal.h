/* What may go into a SIP message of ours: checks of values from outside, so that none of them can end a
 * header, a quoted string or a URI early (RFC 3261 25.1). */
#ifndef TG_SIP_LEGAL_H
#define TG_SIP_LEGAL_H

#include <stdbool.h>
#include <stddef.h>

/* "X-" and token characters, at most 64. */
bool legal_header_name(const char *name);
/* One line of UTF-8 without control characters, at most 1024 bytes. */
bool legal_header_value(const char *value);
/* As a header value, and fit for a quoted string as it is: no quotes, no backslash. */
bool legal_quoted(const char *text);
/* A sip: URI whose effect is what it seems: printable, with a host, no headers ("?"), no maddr or method
 * parameter, transport udp or tcp only; at most 512 bytes. */
bool legal_target(const char *uri);
/* Writes text as the user part of a URI, other characters escaped. Returns 0, -EINVAL for an empty text,
 * control characters or quotes, -ENOSPC. */
int legal_user(const char *text, char *out, size_t bytes);

#endif
