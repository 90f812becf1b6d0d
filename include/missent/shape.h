/*
 * shape.h - what a message's header says that it is, as far as its turn to be read depends on it.
 *
 * WHAT    One word; the daemon takes it from Content-Type.
 * OWNS    Nothing.
 * ERRORS  None: what is not said is text.
 * THREADS Safe.
 * LIMITS  None.
 * NOT     Nothing is read differently, or judged, by it.
 */
#ifndef MISSENT_SHAPE_H
#define MISSENT_SHAPE_H

typedef enum { MS_SHAPE_TEXT, MS_SHAPE_ALTERNATIVE, MS_SHAPE_OTHER } MsShape;

#endif
