/* CDR files made again from a journal. */
#ifndef TG_CDR_REBUILD_H
#define TG_CDR_REBUILD_H

#include <stddef.h>

/* Writes all files of a journal to out_dir, the same bytes as they were; rows of the file that is still open
 * in temp- files. The journal may be in use; it is not changed. out_dir must not be the directory of a
 * gateway. Returns 0, or -errno with a sentence in why. */
int cdr_rebuild(const char *journal_dir, const char *out_dir, char *why, size_t why_bytes);

#endif
