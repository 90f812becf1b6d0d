#include "config.h"

/* The style sheet and the script; made by embed.py. */
#include "files.inc"
