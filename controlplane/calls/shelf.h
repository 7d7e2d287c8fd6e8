/* Where live sessions are kept for a successor: one small file per session on a tmpfs, replaced as a whole.
 *
 * It outlives the process and not the machine, as calls do: after a reboot the journal alone closes what was
 * open. A file is there before any action that depends on it is taken. */
#ifndef TG_CALLS_SHELF_H
#define TG_CALLS_SHELF_H

#include <jansson.h>

struct shelf;

/* Writes the directory's path: in the run directory, which is there, if that is on a tmpfs, else on /dev/shm
 * under the region's name. Everyone may make names in /dev/shm, and so keep this program from starting. */
void shelf_place(const char *run_dir, const char *region_name, char *out, size_t out_bytes);
/* Makes dir (mode 0750) if it isn't there; removes what was half written. Returns 0 or -errno; -EPERM: dir is
 * another user's, or others may write to it; -ELOOP or -ENOTDIR: it is a link, or no directory. */
int shelf_open(struct shelf **shelf, const char *dir);
void shelf_close(struct shelf *shelf);
/* name: letters and digits. Returns 0 or -errno. */
int shelf_put(struct shelf *shelf, const char *name, const json_t *value);
void shelf_drop(struct shelf *shelf, const char *name);
/* Begins to read the files, on a thread of its own, for a shelf_each() that comes later: nothing is to be put
 * or dropped before that. Returns 0 or -errno; shelf_each() works all the same. */
int shelf_read_ahead(struct shelf *shelf);
/* Calls back for each file; value is NULL for one that can't be read, borrowed otherwise. The callback may
 * drop it. */
int shelf_each(
	struct shelf *shelf, void (*found)(void *ctx, const char *name, const json_t *value), void *ctx);

#endif
