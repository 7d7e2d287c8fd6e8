/* Checks of single values of the registry file: NULL, or what is wrong and what is allowed. */
#ifndef TG_MODULES_REGISTRY_CHECK_H
#define TG_MODULES_REGISTRY_CHECK_H

const char *registry_check_any(const char *text);
const char *registry_check_sid(const char *text);   /* "AC" and 32 hex digits */
const char *registry_check_token(const char *text); /* at least 16 characters, no spaces */
const char *registry_check_code(const char *text);
const char *registry_check_url(const char *text);
const char *registry_check_optional_url(const char *text);
const char *registry_check_pattern(const char *text);     /* of called numbers */
const char *registry_check_caller_id(const char *text);   /* a number, or a pattern with '*' at its end */
const char *registry_check_destination(const char *text); /* [!]number pattern, sip:user@host, sip:*@host */
const char *registry_check_capability(const char *text);
const char *registry_check_accepts(const char *text); /* a sid or "*" */

#endif
