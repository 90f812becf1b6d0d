/*
 * missent-reader-text - the small reader: mail without documents.
 *
 * The same supervisor, confinement and reading as missent-reader, with few libraries, so that its
 * workers cost a fraction to make.  A message with a document that these do not read is handed on
 * by its worker, unread, and read by missent-reader from the beginning.  The supervisor's one
 * thread, and each worker's.
 */
#include "config.h"

#include "missent/worker.h"

int main(int argc, char **argv)
{
	return ms_reader_main(argc, argv, &ms_reader_text_program);
}
