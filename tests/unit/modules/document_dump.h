/* A document as text, one line per verb with all its attributes, for comparison. */
#ifndef TG_TESTS_DOCUMENT_DUMP_H
#define TG_TESTS_DOCUMENT_DUMP_H

#include <stdio.h>

#include "controlplane/modules/document.h"

void document_dump(FILE *out, const struct document *document);

#endif
