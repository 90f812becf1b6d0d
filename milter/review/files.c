/*
 * The style sheet and the script of the page, as constants; made by embed.py of files in this
 * folder.
 */
#include "config.h"

#include "files.inc"
