/* Names and values as application/x-www-form-urlencoded. Pure. */
#ifndef TG_MODULES_FORM_H
#define TG_MODULES_FORM_H

#include <stdio.h>

/* A copy (the caller's to free) in which every byte that isn't part of well-formed UTF-8 (RFC 3629) has
 * become U+FFFD; NULL: out of memory. A reader that decodes text replaces such bytes too, and could not check
 * a signature over the original ones. */
char *form_clean(const char *text);
/* Writes text percent-encoded: letters, digits and "-._~" stay (RFC 3986, 2.3), everything else becomes %XX.
 * A space becomes %20, which is right in a body and in a query alike. */
void form_write(FILE *out, const char *text);

#endif
