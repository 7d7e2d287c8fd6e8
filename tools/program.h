/* Other programs of Tollgate that a command runs: they lie beside this one, or where the build puts them. */
#ifndef TG_TOOLS_PROGRAM_H
#define TG_TOOLS_PROGRAM_H

/* places: paths relative to this program's folder, in order of preference, NULL ends them. argv[0] is filled
 * in. Returns the exit status, or TOOL_FAILED after the error has been written. */
int program_run(const char *const *places, char **argv);

#endif
